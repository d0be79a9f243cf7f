package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/buger/jsonparser"
	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/ast"
	jsonv2 "github.com/go-json-experiment/json"
	gojson "github.com/goccy/go-json"
	segmentio "github.com/segmentio/encoding/json"
	"github.com/tidwall/gjson"
	"github.com/valyala/fastjson"

	"github.com/ssereel/ssereel/status"
)

// statusTables compares the package status with JSON decoders: whole Statuses, their heads, and
// progress events. The inputs are the two real Statuses of the documentation, pretty and compact, where
// they are at hand, and composed ones elsewhere.
//
// Peers reuse their destination where ours does.
func statusTables() ([]table, error) {
	docs, err := statusDocuments("../../../shared/docs/assembly-status-example.json", "../../../shared/captures/assembly-status-2020.json")
	if os.IsNotExist(err) {
		docs, err = statusDocuments("../../testdata/assembly-completed.json", "../../testdata/assembly-executing.json")
	}
	if err != nil {
		return nil, err
	}
	progress := []input{{
		name:  "one file",
		bytes: []byte(`{"progress_combined":50,"progress_per_original_file":[{"original_id":"5b0f2c9d7a1e4c63b8d4f0a2c6e81397","progress":100}]}`),
		units: 1,
	}}
	return []table{
		{"DecodeAssembly", docs, statusDecoders(false, false)},
		{"DecodeAssembly fresh", docs, statusDecoders(false, true)},
		{"DecodeAssemblyBorrowed", docs, statusDecoders(true, false)},
		{"Peek", append(statusShuffled(docs), docs...), statusPeekers(false)},
		{"Peek and HTTPCode", append(statusShuffled(docs), docs...), statusPeekers(true)},
		{"DecodeUpdate", progress, statusProgressDecoders()},
	}, nil
}

// statusDocuments reads documents, each once pretty and once compact. A document is one unit.
func statusDocuments(files ...string) ([]input, error) {
	var all []input
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var pretty, compact bytes.Buffer
		if err := json.Indent(&pretty, data, "", "  "); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := json.Compact(&compact, data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		all = append(all, input{name + "/pretty", pretty.Bytes(), 1}, input{name + "/compact", compact.Bytes(), 1})
	}
	return all, nil
}

// statusShuffled returns each compact document with its keys in the order of their bytes backwards: the
// results come first but for the URLs, and ok, id and bytes behind them.
func statusShuffled(docs []input) []input {
	var all []input
	for _, doc := range docs {
		name, ok := strings.CutSuffix(doc.name, "/compact")
		if !ok {
			continue
		}
		var out bytes.Buffer
		var members []string
		gjson.ParseBytes(doc.bytes).ForEach(func(k, v gjson.Result) bool {
			members = append([]string{k.Raw + ":" + v.Raw}, members...)
			return true
		})
		out.WriteString("{" + strings.Join(members, ",") + "}")
		all = append(all, input{name + "/backwards", out.Bytes(), 1})
	}
	return all
}

// statusUnit is 1 if what was decoded has a state, as all inputs have.
func statusUnit(state string, err error) (int, error) { return statusHeadUnit(state, 0, err) }

// statusHeadUnit is statusUnit for heads; rest is what else was read, so that it is not
// for nothing. It is never negative.
func statusHeadUnit(state string, rest int64, err error) (int, error) {
	if state == "" || rest < 0 {
		return 0, err
	}
	return 1, err
}

// statusDecoders are the decoders of whole Statuses. With fresh each document goes to a new
// struct, as it does where nobody thinks about it, and else to the same one again.
func statusDecoders(borrowed, fresh bool) []contender {
	ours, name := status.DecodeAssembly, "ssereel DecodeAssembly"
	if borrowed {
		ours, name = status.DecodeAssemblyBorrowed, "ssereel DecodeAssemblyBorrowed"
	}
	peer := func(name string, decode func(data []byte, dst *statusPeerAssembly) error) contender {
		return statusDecoder(name, fresh, decode, func(a *statusPeerAssembly) string { return a.State })
	}
	contenders := []contender{
		statusDecoder(name, fresh, ours, func(a *status.Assembly) string { return string(a.State) }),
		peer("goccy/go-json", func(data []byte, dst *statusPeerAssembly) error {
			return gojson.Unmarshal(data, dst)
		}),
		peer("goccy/go-json, no copy", func(data []byte, dst *statusPeerAssembly) error {
			return gojson.UnmarshalWithOption(data, dst, gojson.DecodeNoCopyString())
		}),
		peer("bytedance/sonic Fastest", func(data []byte, dst *statusPeerAssembly) error {
			return sonic.ConfigFastest.Unmarshal(data, dst)
		}),
		// Borrows its input: the string is made from the bytes without a copy.
		peer("bytedance/sonic Fastest, no copy", func(data []byte, dst *statusPeerAssembly) error {
			return sonic.ConfigFastest.UnmarshalFromString(statusView(data), dst)
		}),
		peer("segmentio/encoding", func(data []byte, dst *statusPeerAssembly) error {
			return segmentio.Unmarshal(data, dst)
		}),
		peer("segmentio/encoding ZeroCopy", func(data []byte, dst *statusPeerAssembly) error {
			_, err := segmentio.Parse(data, dst, segmentio.ZeroCopy)
			return err
		}),
		peer("go-json-experiment", func(data []byte, dst *statusPeerAssembly) error {
			return jsonv2.Unmarshal(data, dst)
		}),
		peer("encoding/json", func(data []byte, dst *statusPeerAssembly) error {
			return json.Unmarshal(data, dst)
		}),
	}
	if !borrowed && !fresh {
		contenders = append(contenders, contender{name: "the copy alone, nothing decoded", run: func(in input) (int, error) {
			statusCopy = string(in.bytes)
			return statusUnit(statusCopy, nil)
		}})
	}
	return contenders
}

var statusCopy string // so that the copy is made

func statusDecoder[T any](name string, fresh bool, decode func([]byte, *T) error, state func(*T) string) contender {
	again := new(T)
	return contender{name: name, run: func(in input) (int, error) {
		dst := again
		if fresh {
			dst = new(T)
		}
		err := decode(in.bytes, dst)
		return statusUnit(state(dst), err)
	}}
}

// statusView is a string of b's own bytes.
func statusView(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// statusPeekers read ok, assembly_id, bytes_received and bytes_expected, with code http_code
// too, which the older Status does not have, so that all have to read to its end to know. None looks for error, because all inputs have an
// ok.
func statusPeekers(code bool) []contender {
	keys := []string{"ok", "assembly_id", "bytes_received", "bytes_expected"}
	if code {
		keys = append(keys, "http_code")
	}
	var paths [][]string
	for _, k := range keys {
		paths = append(paths, []string{k})
	}
	var parser fastjson.Parser
	sonicGet := func(options ast.SearchOptions) func(in input) (int, error) {
		return func(in input) (int, error) {
			state, rest := "", int64(0)
			for _, k := range keys {
				n, err := sonic.GetWithOptions(in.bytes, options, k)
				if err != nil && k != "http_code" {
					return 0, err
				}
				switch k {
				case "ok":
					state, _ = n.StrictString()
				case "assembly_id":
					s, _ := n.StrictString()
					rest += int64(len(s))
				default:
					v, _ := n.Int64()
					rest += v
				}
			}
			return statusHeadUnit(state, rest, nil)
		}
	}
	return []contender{
		{name: "ssereel Peek", run: func(in input) (int, error) {
			h, err := status.Peek(in.bytes)
			rest := int64(len(h.ID)) + h.BytesReceived + h.BytesExpected
			if code {
				rest += int64(h.HTTPCode())
			}
			return statusHeadUnit(string(h.State), rest, err)
		}},
		{name: "sonic.Get, key by key", run: sonicGet(ast.SearchOptions{ValidateJSON: true})},
		{name: "sonic.Get without validation, no copy", run: sonicGet(ast.SearchOptions{})},
		{name: "gjson.GetManyBytes", run: func(in input) (int, error) {
			r := gjson.GetManyBytes(in.bytes, keys...)
			rest := int64(len(r[1].Str)) + r[2].Int() + r[3].Int()
			if code {
				rest += r[4].Int()
			}
			return statusHeadUnit(r[0].Str, rest, nil)
		}},
		{name: "jsonparser.EachKey", run: func(in input) (int, error) {
			state, rest := "", int64(0)
			jsonparser.EachKey(in.bytes, func(i int, v []byte, _ jsonparser.ValueType, err error) {
				switch i {
				case 0:
					state = statusView(v)
				case 1:
					rest += int64(len(v))
				default:
					x, _ := jsonparser.ParseInt(v)
					rest += x
				}
			}, paths...)
			return statusHeadUnit(state, rest, nil)
		}},
		{name: "jsonparser, key by key", run: func(in input) (int, error) {
			state, rest := "", int64(0)
			for i, p := range paths {
				v, _, _, _ := jsonparser.Get(in.bytes, p...)
				switch i {
				case 0:
					state = statusView(v)
				case 1:
					rest += int64(len(v))
				default:
					x, _ := jsonparser.ParseInt(v)
					rest += x
				}
			}
			return statusHeadUnit(state, rest, nil)
		}},
		{name: "fastjson", run: func(in input) (int, error) {
			v, err := parser.ParseBytes(in.bytes)
			if err != nil {
				return 0, err
			}
			rest := int64(len(v.GetStringBytes("assembly_id"))) + v.GetInt64("bytes_received") + v.GetInt64("bytes_expected")
			if code {
				rest += v.GetInt64("http_code")
			}
			return statusHeadUnit(statusView(v.GetStringBytes("ok")), rest, nil)
		}},
		{name: "goccy/go-json, small struct", run: func(in input) (int, error) {
			var h statusPeerHead
			err := gojson.UnmarshalOf(in.bytes, &h, gojson.DecodeNoCopyString())
			return statusHeadUnit(h.OK, int64(len(h.ID))+h.BytesReceived+h.BytesExpected+h.HTTPCode, err)
		}},
	}
}

func statusProgressDecoders() []contender {
	eventType := []byte("assembly_execution_progress")
	unit := func(combined *float64, err error) (int, error) {
		if combined == nil || *combined != 50 {
			return 0, err
		}
		return 1, err
	}
	var goj, son statusPeerProgress
	return []contender{
		{name: "ssereel DecodeUpdate", run: func(in input) (int, error) {
			u, err := status.DecodeUpdate(eventType, in.bytes)
			return unit(&u.Percent, err)
		}},
		{name: "goccy/go-json", run: func(in input) (int, error) {
			var p statusPeerProgress
			err := gojson.Unmarshal(in.bytes, &p)
			return unit(p.Combined, err)
		}},
		{name: "goccy/go-json, no copy, reused", run: func(in input) (int, error) {
			err := gojson.UnmarshalWithOption(in.bytes, &goj, gojson.DecodeNoCopyString())
			return unit(goj.Combined, err)
		}},
		{name: "bytedance/sonic Fastest, reused", run: func(in input) (int, error) {
			err := sonic.ConfigFastest.Unmarshal(in.bytes, &son)
			return unit(son.Combined, err)
		}},
		{name: "encoding/json", run: func(in input) (int, error) {
			var p statusPeerProgress
			err := json.Unmarshal(in.bytes, &p)
			return unit(p.Combined, err)
		}},
	}
}

// The peers decode into the fields that status.Assembly and status.File have. What
// ours has as time.Time and time.Duration they may leave as strings and numbers,
// which is less work.
type statusPeerAssembly struct {
	State                string                      `json:"ok"`
	Error                string                      `json:"error"`
	HTTPCode             int64                       `json:"http_code"`
	Message              string                      `json:"message"`
	Reason               string                      `json:"reason"`
	Info                 json.RawMessage             `json:"info"`
	Errno                json.RawMessage             `json:"errno"`
	Code                 string                      `json:"code"`
	Syscall              string                      `json:"syscall"`
	ID                   string                      `json:"assembly_id"`
	IDAlias              string                      `json:"assemblyId"`
	ParentID             string                      `json:"parent_id"`
	AccountID            string                      `json:"account_id"`
	AccountName          string                      `json:"account_name"`
	AccountSlug          string                      `json:"account_slug"`
	APIAuthKeyID         string                      `json:"api_auth_key_id"`
	TemplateID           string                      `json:"template_id"`
	TemplateName         string                      `json:"template_name"`
	Instance             string                      `json:"instance"`
	Region               string                      `json:"region"`
	BuildID              string                      `json:"build_id"`
	AssemblyURL          string                      `json:"assembly_url"`
	AssemblySSLURL       string                      `json:"assembly_ssl_url"`
	UppyServerURL        string                      `json:"uppyserver_url"`
	CompanionURL         string                      `json:"companion_url"`
	WebsocketURL         string                      `json:"websocket_url"`
	UpdateStreamURL      string                      `json:"update_stream_url"`
	TusURL               string                      `json:"tus_url"`
	BytesReceived        int64                       `json:"bytes_received"`
	BytesExpected        int64                       `json:"bytes_expected"`
	BytesUsage           int64                       `json:"bytes_usage"`
	UploadDuration       float64                     `json:"upload_duration"`
	ClientAgent          string                      `json:"client_agent"`
	ClientIP             string                      `json:"client_ip"`
	ClientReferer        string                      `json:"client_referer"`
	TransloaditClient    string                      `json:"transloadit_client"`
	StartDate            string                      `json:"start_date"`
	ExecutionStart       string                      `json:"execution_start"`
	ExecutionDuration    float64                     `json:"execution_duration"`
	QueueDuration        float64                     `json:"queue_duration"`
	JobsQueueDuration    float64                     `json:"jobs_queue_duration"`
	LastJobCompleted     string                      `json:"last_job_completed"`
	MetaDataExtracted    bool                        `json:"upload_meta_data_extracted"`
	IsInfinite           bool                        `json:"is_infinite"`
	HasDupeJobs          bool                        `json:"has_dupe_jobs"`
	NotifyStart          string                      `json:"notify_start"`
	NotifyURL            string                      `json:"notify_url"`
	NotifyStatus         string                      `json:"notify_status"`
	NotifyResponseCode   int64                       `json:"notify_response_code"`
	NotifyResponseData   string                      `json:"notify_response_data"`
	NotifyError          string                      `json:"notify_error"`
	NotifyDuration       float64                     `json:"notify_duration"`
	NumInputFiles        int64                       `json:"num_input_files"`
	ExpectedTusUploads   int64                       `json:"expected_tus_uploads"`
	StartedTusUploads    int64                       `json:"started_tus_uploads"`
	FinishedTusUploads   int64                       `json:"finished_tus_uploads"`
	IgnoredErrorCount    int64                       `json:"ignored_error_count"`
	IgnoredErrors        json.RawMessage             `json:"ignored_errors"`
	Warnings             json.RawMessage             `json:"warnings"`
	UsageTags            string                      `json:"usage_tags"`
	RunningJobs          json.RawMessage             `json:"running_jobs"`
	ExecutingJobs        json.RawMessage             `json:"executing_jobs"`
	StartedJobs          json.RawMessage             `json:"started_jobs"`
	Fields               json.RawMessage             `json:"fields"`
	Params               json.RawMessage             `json:"params"`
	MergedParams         json.RawMessage             `json:"merged_params"`
	Template             json.RawMessage             `json:"template"`
	ParentAssemblyStatus json.RawMessage             `json:"parent_assembly_status"`
	AdminCmd             json.RawMessage             `json:"admin_cmd"`
	TusUploads           json.RawMessage             `json:"tus_uploads"`
	DebugInfo            json.RawMessage             `json:"debuginfo"`
	VirusName            string                      `json:"virusname"`
	Step                 string                      `json:"step"`
	PreviousStep         string                      `json:"previousStep"`
	Worker               string                      `json:"worker"`
	Uploads              []statusPeerFile            `json:"uploads"`
	Results              map[string][]statusPeerFile `json:"results"`
}

type statusPeerFile struct {
	ID               string          `json:"id"`
	Name             string          `json:"name"`
	Basename         string          `json:"basename"`
	Ext              string          `json:"ext"`
	Size             int64           `json:"size"`
	MIME             string          `json:"mime"`
	Type             string          `json:"type"`
	Field            string          `json:"field"`
	MD5Hash          string          `json:"md5hash"`
	OriginalID       string          `json:"original_id"`
	OriginalBasename string          `json:"original_basename"`
	OriginalName     string          `json:"original_name"`
	OriginalPath     string          `json:"original_path"`
	OriginalMD5Hash  string          `json:"original_md5hash"`
	FromBatchImport  bool            `json:"from_batch_import"`
	IsTusFile        bool            `json:"is_tus_file"`
	TusUploadURL     string          `json:"tus_upload_url"`
	URL              string          `json:"url"`
	SSLURL           string          `json:"ssl_url"`
	Meta             json.RawMessage `json:"meta"`
	UserMeta         json.RawMessage `json:"user_meta"`
	As               json.RawMessage `json:"as"`
	IsTempURL        bool            `json:"is_temp_url"`
	Queue            string          `json:"queue"`
	QueueTime        float64         `json:"queue_time"`
	QueueTimeAlias   float64         `json:"queueTime"`
	ExecTime         float64         `json:"exec_time"`
	ExecTimeAlias    float64         `json:"execTime"`
	ImportURL        string          `json:"import_url"`
	Cost             int64           `json:"cost"`
	Duration         float64         `json:"duration"`
	DurationHuman    string          `json:"duration_human"`
	Width            int64           `json:"width"`
	Height           int64           `json:"height"`
	FilePath         string          `json:"filepath"`
	Path             string          `json:"path"`
	Preview          string          `json:"preview"`
	SizeHuman        string          `json:"size_human"`
	SignedURL        string          `json:"signed_url"`
	SignedSSLURL     string          `json:"signed_ssl_url"`
	IOSURL           string          `json:"ios_url"`
	StreamingURL     string          `json:"streaming_url"`
	RemotePath       string          `json:"remote_path"`
	HLSURL           string          `json:"hls_url"`
	Playlists        json.RawMessage `json:"playlists"`
	ForcedFileExt    string          `json:"forcedFileExt"`
	Vimeo            string          `json:"vimeo"`
}

type statusPeerHead struct {
	OK            string `json:"ok"`
	HTTPCode      int64  `json:"http_code"`
	ID            string `json:"assembly_id"`
	BytesReceived int64  `json:"bytes_received"`
	BytesExpected int64  `json:"bytes_expected"`
}

type statusPeerProgress struct {
	Combined *float64 `json:"progress_combined"`
	Files    []struct {
		OriginalID string  `json:"original_id"`
		Progress   float64 `json:"progress"`
	} `json:"progress_per_original_file"`
}
