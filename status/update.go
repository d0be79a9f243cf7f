package status

import "iter"

// An UpdateKind says what an Update is about.
type UpdateKind uint8

const (
	UpdateUnknown           UpdateKind = iota // an event that is not known here, or whose payload makes no sense
	UpdateUploadFinished                      // event assembly_upload_finished: File
	UpdateMetaDataExtracted                   // message assembly_upload_meta_data_extracted
	UpdateUploadingFinished                   // message assembly_uploading_finished
	UpdateResultFinished                      // event assembly_result_finished: Step and File
	UpdateExecutionProgress                   // event assembly_execution_progress: Percent and PerFile
	UpdateAssemblyFinished                    // message assembly_finished; results may follow
	UpdateAssemblyError                       // event assembly_error: Failure; means nothing after UpdateAssemblyFinished
)

var updateNames = [...]string{
	"unknown", "assembly_upload_finished", "assembly_upload_meta_data_extracted", "assembly_uploading_finished",
	"assembly_result_finished", "assembly_execution_progress", "assembly_finished", "assembly_error",
}

// String returns the API's name.
func (k UpdateKind) String() string {
	if int(k) < len(updateNames) {
		return updateNames[k]
	}
	return updateNames[UpdateUnknown]
}

// An Update is one message or event of an Assembly's update stream.
//
// Data, and what PerFile yields, are the bytes that DecodeUpdate was given and valid
// until those change. Everything else is the Update's own.
type Update struct {
	Kind         UpdateKind
	Percent      float64  // of the whole execution, 0 to 100; see PercentKnown
	PercentKnown bool     // whether the event states a Percent, even if it is 0
	Step         string   // name of the Step that has the new result; empty if the event does not say
	File         *File    // the upload or the result
	Failure      *Failure // what went wrong
	Data         []byte   // the payload as it came

	perFile []byte
	nowhere bool // the event does not say of which Step the result is
}

// A Failure is the payload of assembly_error.
type Failure struct {
	Code         ErrorCode // empty if the event does not name one
	HTTPCode     int64
	Message      string // the whole payload if that is no JSON object
	Step         string // where it happened
	PreviousStep string
	Worker       string

	src string
}

var failureLayout = layoutOf(func(f *Failure) []field {
	return []field{
		text("error", (*string)(&f.Code)),
		integer("http_code", &f.HTTPCode),
		text("msg", &f.Message),
		text("step", &f.Step),
		text("previousStep", &f.PreviousStep),
		text("worker", &f.Worker),
		alias(text("message", &f.Message)),
	}
})

func (f *Failure) reset()          { *f = Failure{} }
func (f *Failure) source() *string { return &f.src }
func (f *Failure) layout() *layout { return failureLayout }

// Lookup returns the value of any key of the payload, and the zero Raw if there is none.
func (f *Failure) Lookup(key string) Raw { return Raw(f.src).Get(key) }

// DecodeUpdate decodes what an event of an Assembly's update stream says: its type, empty
// or "message" for a message, and its data. Messages do not allocate, nor does progress unless
// a key is written with escape sequences.
//
// An event that is not known is no error but an UpdateUnknown, and so is one
// whose payload is JSON of a shape that makes no sense. A payload that is not JSON gives a
// *SyntaxError, except in assembly_error, where it may be plain text.
func DecodeUpdate(eventType, data []byte) (u Update, err error) {
	u.Data = data
	switch string(eventType) {
	case "assembly_execution_progress":
		if u.usualProgress() || u.progress() {
			u.Kind = UpdateExecutionProgress
			return u, nil
		}
		u.PercentKnown, u.Percent, u.perFile = false, 0, nil
		if err := diagnoseValue(string(data)); err != nil {
			return u, err
		}
	case "", "message":
		switch string(data) {
		case "assembly_finished":
			u.Kind = UpdateAssemblyFinished
		case "assembly_uploading_finished":
			u.Kind = UpdateUploadingFinished
		case "assembly_upload_meta_data_extracted":
			u.Kind = UpdateMetaDataExtracted
		}
	case "assembly_result_finished":
		err = u.result()
		return u, err
	case "assembly_upload_finished":
		file := new(File)
		d := decoder{b: data}
		d.copySource()
		if d.document(file) {
			u.Kind, u.File = UpdateUploadFinished, file
		} else if err := diagnoseValue(string(data)); err != nil {
			return u, err
		}
	case "assembly_error":
		u.Kind, u.Failure = UpdateAssemblyError, decodeFailure(data)
	}
	return u, nil
}

func decodeFailure(data []byte) *Failure {
	f := new(Failure)
	d := decoder{b: data}
	d.copySource()
	if d.document(f) {
		return f
	}
	*f = Failure{Message: string(data)}
	if s, ok := Raw(f.Message).Text(); ok {
		f.Message = s
	}
	return f
}

// result reads ["step", {…}], which is what comes over the wire, {…, "step": "…"}, and the
// object without a step, which is what the documentation shows.
func (u *Update) result() error {
	d := decoder{b: u.Data}
	d.copySource()
	if i := d.result(u); i >= 0 && skipSpace(d.b, i) == len(d.b) {
		return nil
	}
	u.Kind, u.Step, u.File = UpdateUnknown, "", nil
	if err := diagnoseValue(string(u.Data)); err != nil {
		return err
	}
	whole := Raw(d.s)
	file := whole.Get("result")
	if file.kind() != '{' {
		file = whole
	}
	named := false
	for _, key := range [...]string{"step", "step_name", "stepName"} {
		if name, ok := whole.Get(key).Text(); ok && !named {
			u.Step, named = name, true
		}
	}
	own := new(File)
	if decodeSource(string(file), own); named || own.ID != "" {
		u.Kind, u.File, u.nowhere = UpdateResultFinished, own, !named
	}
	return nil
}

// result reads an array that begins with a name and an object, and nothing else.
func (d *decoder) result(u *Update) int {
	b := d.b
	i := skipSpace(b, 0)
	if at(b, i) != '[' {
		return -1
	}
	if i = skipSpace(b, i+1); at(b, i) != '"' {
		return -1
	}
	k := i + 1
	if i = stringEnd(b, k); i < 0 {
		return -1
	}
	u.Step = d.unquoted(d.s[k:i])
	if i = skipSpace(b, i+1); at(b, i) != ',' {
		return -1
	}
	if i = skipSpace(b, i+1); at(b, i) != '{' {
		return -1
	}
	u.Kind, u.File = UpdateResultFinished, new(File)
	if i = d.object(i, 1, u.File); i < 0 {
		return -1
	}
	for i = skipSpace(b, i); at(b, i) == ','; i = skipSpace(b, i) {
		if i = valueEnd(b, skipSpace(b, i+1), 1); i < 0 {
			return -1
		}
	}
	if at(b, i) != ']' {
		return -1
	}
	return i + 1
}

// usualProgress reads a payload that is byte by byte as the API writes it, which is
// what comes every two seconds. For any other it reports false and changes nothing.
func (u *Update) usualProgress() bool {
	const combined, perFile = `{"progress_combined":`, `,"progress_per_original_file":[`
	b := u.Data
	if len(b) < len(combined) || string(b[:len(combined)]) != combined {
		return false
	}
	i, n := len(combined), 0
	for ; i < len(b) && b[i]-'0' < 10; i++ {
		n = n*10 + int(b[i]-'0')
	}
	digits := i - len(combined)
	if digits == 0 || digits > 3 || digits > 1 && b[len(combined)] == '0' {
		return false
	}
	if len(b)-i < len(perFile) || string(b[i:i+len(perFile)]) != perFile {
		return false
	}
	from := i + len(perFile) - 1
	if i = arrayEnd(b, from, 1); i < 0 || i != len(b)-1 || b[i] != '}' {
		return false
	}
	u.Percent, u.PercentKnown, u.perFile = float64(min(n, 100)), true, b[from:i]
	return true
}

// progress reads {"progress_combined":50,"progress_per_original_file":[…]}. It reports
// whether data is an object.
func (u *Update) progress() bool {
	b := u.Data
	i := skipSpace(b, 0)
	if at(b, i) != '{' {
		return false
	}
	if i = skipSpace(b, i+1); at(b, i) == '}' {
		return skipSpace(b, i+1) == len(b)
	}
	for {
		if at(b, i) != '"' {
			return false
		}
		k := i + 1
		if i = runEnd(b, k); at(b, i) != '"' {
			if i = stringEnd(b, i); i < 0 {
				return false
			}
		}
		key := b[k:i]
		if i = colonEnd(b, i+1); i < 0 {
			return false
		}
		v := i
		if i = valueEnd(b, i, 1); i < 0 {
			return false
		}
		u.progressMember(key, b[v:i])
		c := at(b, i)
		if c <= ' ' {
			i = skipSpace(b, i)
			c = at(b, i)
		}
		if c == '}' {
			return skipSpace(b, i+1) == len(b)
		}
		if c != ',' {
			return false
		}
		if i++; at(b, i) <= ' ' {
			i = skipSpace(b, i)
		}
	}
}

func (u *Update) progressMember(key, value []byte) {
	switch string(key) {
	case "progress_combined":
		u.Percent, u.PercentKnown = percent(value)
	case "progress_per_original_file":
		u.perFile = nil
		if value[0] == '[' {
			u.perFile = value
		}
	default:
		for _, c := range key {
			if c == '\\' {
				if name := appendText(nil, view(key)); string(name) != string(key) {
					u.escapedMember(name, value)
				}
				return
			}
		}
	}
}

// escapedMember is for a key whose escape sequences have been resolved.
func (u *Update) escapedMember(key, value []byte) {
	if string(key) == "progress_combined" || string(key) == "progress_per_original_file" {
		u.progressMember(key, value)
	}
}

// percent returns the value of a number, in quotes or not, as one from 0 to 100.
func percent(value []byte) (p float64, ok bool) {
	n := 0
	for _, c := range value {
		if c-'0' >= 10 || len(value) > 15 {
			s, ok := Raw(view(value)).number()
			if !ok {
				return 0, false
			}
			p, ok = parseFloat(s)
			return max(0, min(p, 100)), ok
		}
		n = n*10 + int(c-'0')
	}
	return float64(min(n, 100)), true
}

// PerFile yields, for each upload that the event names, its id and how much of what is made
// from it is done, from 0 to 100. It does not allocate unless there are escape sequences in an
// id or a key.
func (u *Update) PerFile() iter.Seq2[[]byte, float64] {
	return func(yield func([]byte, float64) bool) {
		b := u.perFile
		if len(b) == 0 {
			return
		}
		for e := range elements(view(b)) {
			var id []byte
			var p float64
			var known bool
			if e[0] != '{' {
				continue
			}
			for m := range members(e) {
				switch m.name() {
				case "original_id":
					id = nil
					if m.value[0] == '"' {
						id = viewBytes(m.value[1 : len(m.value)-1])
						for _, c := range id {
							if c == '\\' {
								id = appendText(nil, view(id))
								break
							}
						}
					}
				case "progress":
					p, known = percent(viewBytes(m.value))
				}
			}
			if id != nil && known && !yield(id, p) {
				return
			}
		}
	}
}
