package status

import "time"

// A File is an upload or a result of an Assembly. The API describes both with
// the same fields; those that only results have come last.
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

var fileLayout = layoutOf(func(f *File) []field {
	return []field{
		text("id", &f.ID),
		text("name", &f.Name),
		text("basename", &f.Basename),
		text("ext", &f.Ext),
		integer("size", &f.Size),
		text("mime", &f.MIME),
		text("type", &f.Type),
		text("field", &f.Field),
		text("md5hash", &f.MD5Hash),
		first("original_id", &f.OriginalID),
		text("original_basename", &f.OriginalBasename),
		text("original_name", &f.OriginalName),
		text("original_path", &f.OriginalPath),
		text("original_md5hash", &f.OriginalMD5Hash),
		boolean("from_batch_import", &f.FromBatchImport),
		boolean("is_tus_file", &f.IsTusFile),
		text("tus_upload_url", &f.TusUploadURL),
		text("url", &f.URL),
		text("ssl_url", &f.SSLURL),
		raw("meta", &f.Meta.Raw),
		raw("user_meta", &f.UserMeta),
		raw("as", &f.As),
		boolean("is_temp_url", &f.IsTempURL),
		text("queue", &f.Queue),
		seconds("queue_time", &f.QueueTime),
		seconds("exec_time", &f.ExecTime),
		text("import_url", &f.ImportURL),
		integer("cost", &f.Cost),
		seconds("duration", &f.Duration),
		text("duration_human", &f.DurationHuman),
		integer("width", &f.Width),
		integer("height", &f.Height),
		text("filepath", &f.FilePath),
		text("path", &f.Path),
		text("preview", &f.Preview),
		text("size_human", &f.SizeHuman),
		text("signed_url", &f.SignedURL),
		text("signed_ssl_url", &f.SignedSSLURL),
		text("ios_url", &f.IOSURL),
		text("streaming_url", &f.StreamingURL),
		text("remote_path", &f.RemotePath),
		text("hls_url", &f.HLSURL),
		raw("playlists", &f.Playlists),
		text("forcedFileExt", &f.ForcedFileExt),
		text("vimeo", &f.Vimeo),
		alias(seconds("queueTime", &f.QueueTime)),
		alias(seconds("execTime", &f.ExecTime)),
	}
})

// reset assigns one field after the other, which the compiler makes fast. For *f = File{}
// the runtime would search the type for pointers whenever the collector is at work. With that,
// DecodeAssembly, whose copies keep the collector at work, took 3 % longer (Go 1.26).
func (f *File) reset() {
	f.ID, f.Name, f.Basename, f.Ext, f.MIME, f.Type, f.Field, f.MD5Hash = "", "", "", "", "", "", "", ""
	f.OriginalID, f.OriginalBasename, f.OriginalName, f.OriginalPath = "", "", "", ""
	f.OriginalMD5Hash, f.TusUploadURL, f.URL, f.SSLURL = "", "", "", ""
	f.Meta.Raw, f.UserMeta, f.As, f.Queue, f.ImportURL, f.DurationHuman = "", "", "", "", "", ""
	f.FilePath, f.Path, f.Preview, f.SizeHuman, f.SignedURL, f.SignedSSLURL = "", "", "", "", "", ""
	f.IOSURL, f.StreamingURL, f.RemotePath, f.HLSURL = "", "", "", ""
	f.Playlists, f.ForcedFileExt, f.Vimeo, f.src = "", "", "", ""
	f.FromBatchImport, f.IsTusFile, f.IsTempURL = false, false, false
	f.Size, f.Cost, f.Width, f.Height = 0, 0, 0, 0
	f.QueueTime, f.ExecTime, f.Duration = 0, 0, 0
}
func (f *File) source() *string { return &f.src }
func (f *File) layout() *layout { return fileLayout }

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
func DecodeFile(data []byte, dst *File) error { return decodeCopy(data, dst, nil) }

type files = slice[File, *File]

// A Step holds the results of one Step of an Assembly's Instructions.
type Step struct {
	Name  string
	Files []File

	odd string // the value if it is not an array
}
