package status

import "time"

// A File is an upload or a result of an Assembly. The API describes both with
// the same fields; the ones that only results have come last.
//
// A field that the document does not have, or has as null, is its type's zero value;
// Lookup tells these apart and shows a value of a shape that the typed field has no
// use for. Sizes are in bytes, URLs as the API sends them.
type File struct {
	ID               string
	Name             string // with extension
	Basename         string
	Ext              string // without the dot
	Size             int64
	MIME             string
	Type             string // image, video, audio, pdf, …; empty if unknown
	Field            string // name of the form field it came in
	MD5Hash          string
	OriginalID       string // of the upload that it was made from; Originals returns all if there are several
	OriginalBasename string
	OriginalName     string
	OriginalPath     string
	OriginalMD5Hash  string
	FromBatchImport  bool
	IsTusFile        bool
	TusUploadURL     string
	URL              string
	SSLURL           string
	Meta             Meta // what the API found in the file, raw until asked
	UserMeta         Raw  // what came along with the upload, usually an object
	As               Raw  // the role that a Step gave it
	IsTempURL        bool // URL and SSLURL expire after a day
	Queue            string
	QueueTime        time.Duration // both spellings, queue_time and queueTime
	ExecTime         time.Duration // both spellings, exec_time and execTime
	ImportURL        string
	Cost             int64 // in bytes of usage

	Duration      time.Duration // playing time; see Meta.Duration too
	DurationHuman string
	Width, Height int64 // pixels; see Meta.Width and Meta.Height too
	FilePath      string
	Path          string
	Preview       string
	SizeHuman     string
	SignedURL     string
	SignedSSLURL  string
	IOSURL        string
	StreamingURL  string
	RemotePath    string
	HLSURL        string
	Playlists     Raw
	ForcedFileExt string
	Vimeo         string

	src string
}

func (f *File) field(key string) (kind, *string, *int64, any) {
	switch key {
	case "id":
		return text(&f.ID)
	case "name":
		return text(&f.Name)
	case "basename":
		return text(&f.Basename)
	case "ext":
		return text(&f.Ext)
	case "size":
		return integer(&f.Size)
	case "mime":
		return text(&f.MIME)
	case "type":
		return text(&f.Type)
	case "field":
		return text(&f.Field)
	case "md5hash":
		return text(&f.MD5Hash)
	case "original_id":
		return first(&f.OriginalID)
	case "original_basename":
		return text(&f.OriginalBasename)
	case "original_name":
		return text(&f.OriginalName)
	case "original_path":
		return text(&f.OriginalPath)
	case "original_md5hash":
		return text(&f.OriginalMD5Hash)
	case "from_batch_import":
		return boolean(&f.FromBatchImport)
	case "is_tus_file":
		return boolean(&f.IsTusFile)
	case "tus_upload_url":
		return text(&f.TusUploadURL)
	case "url":
		return text(&f.URL)
	case "ssl_url":
		return text(&f.SSLURL)
	case "meta":
		return raw(&f.Meta.Raw)
	case "user_meta":
		return raw(&f.UserMeta)
	case "as":
		return raw(&f.As)
	case "is_temp_url":
		return boolean(&f.IsTempURL)
	case "queue":
		return text(&f.Queue)
	case "queue_time", "queueTime":
		return seconds(&f.QueueTime)
	case "exec_time", "execTime":
		return seconds(&f.ExecTime)
	case "import_url":
		return text(&f.ImportURL)
	case "cost":
		return integer(&f.Cost)
	case "duration":
		return seconds(&f.Duration)
	case "duration_human":
		return text(&f.DurationHuman)
	case "width":
		return integer(&f.Width)
	case "height":
		return integer(&f.Height)
	case "filepath":
		return text(&f.FilePath)
	case "path":
		return text(&f.Path)
	case "preview":
		return text(&f.Preview)
	case "size_human":
		return text(&f.SizeHuman)
	case "signed_url":
		return text(&f.SignedURL)
	case "signed_ssl_url":
		return text(&f.SignedSSLURL)
	case "ios_url":
		return text(&f.IOSURL)
	case "streaming_url":
		return text(&f.StreamingURL)
	case "remote_path":
		return text(&f.RemotePath)
	case "hls_url":
		return text(&f.HLSURL)
	case "playlists":
		return raw(&f.Playlists)
	case "forcedFileExt":
		return text(&f.ForcedFileExt)
	case "vimeo":
		return text(&f.Vimeo)
	}
	return none()
}

var fileKeys = []string{
	"id", "name", "basename", "ext", "size", "mime", "type", "field", "md5hash",
	"original_id", "original_basename", "original_name", "original_path", "original_md5hash",
	"from_batch_import", "is_tus_file", "tus_upload_url", "url", "ssl_url",
	"meta", "user_meta", "as", "is_temp_url", "queue", "queue_time", "exec_time", "import_url", "cost",
	"duration", "duration_human", "width", "height", "filepath", "path", "preview", "size_human",
	"signed_url", "signed_ssl_url", "ios_url", "streaming_url", "remote_path", "hls_url",
	"playlists", "forcedFileExt", "vimeo",
}

func (f *File) reset()          { *f = File{} }
func (f *File) source() *string { return &f.src }
func (f *File) keys() []string  { return fileKeys }
func (f *File) fresh() object   { return new(File) }

// Lookup returns the value of any key as it was decoded, known or unknown, and the
// zero Raw if there was none. It does not show what was assigned to a field since.
func (f *File) Lookup(key string) Raw { return Raw(f.src).Get(key) }

// Originals returns the ids of all uploads that the file was made from.
func (f *File) Originals() []string {
	if all := f.Lookup("original_id").Strings(); len(all) > 0 && all[0] == f.OriginalID {
		return all
	}
	if f.OriginalID == "" {
		return nil
	}
	return []string{f.OriginalID}
}

// DecodeFile decodes one upload or result, with the same promises as DecodeAssembly.
func DecodeFile(data []byte, dst *File) error { return decodeCopy(data, dst) }

type files = slice[File, *File]

// A Step holds the results of one Step of an Assembly's Instructions.
type Step struct {
	Name  string
	Files []File

	odd string // the value if it is not an array
}
