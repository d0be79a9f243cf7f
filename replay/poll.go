package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// maxStatus bounds the documents that are read, in bytes. Those of the largest
// Assemblies have a few million.
const maxStatus = 64 << 20

// answered is the answer to a request for a Status.
type answered struct {
	doc  status.Document // nil where err is not
	size int
	err  error

	again bool          // it may go better another time
	after time.Duration // how long to wait before that, at least
	odd   bool          // a success, but no Status: it may be from a proxy with a problem

	// The error is one that only the API of Assemblies has, and it will pass.
	recognized bool
}

// readAnswer reads the response of u, which should be a Status.
func readAnswer(resp *http.Response, u *url.URL) (a answered) {
	defer resp.Body.Close()
	ok := resp.StatusCode/100 == 2
	data, err := []byte(nil), errNoObject
	if !isEventStream(resp) { // which may never say anything
		data, err = readObject(resp.Body)
	}
	a.size = len(data)
	if mayPass(resp.StatusCode) {
		a.again, a.after = true, retryAfter(resp.Header)
	}
	refused := &ssewire.ResponseError{URL: redactURL(u), StatusCode: resp.StatusCode, Header: resp.Header}
	if err != nil {
		if a.err = err; err == errNoObject {
			a.err, a.odd = refused, ok
		} else {
			a.again = true
		}
		return a
	}
	doc, err := status.Decode(data)
	if err == nil && !tells(doc) {
		err = status.ErrUnknownDocument
	}
	if err != nil {
		if a.err, a.odd = refused, ok; ok {
			a.err = fmt.Errorf("replay: %s answered with JSON that cannot be followed: %w", redactURL(u), err)
		}
		return a
	}
	assembly, isAssembly := doc.(*status.Assembly)
	switch {
	case isAssembly && assembly.Error.AboutRequest():
		after, _ := assembly.RetryAfter()
		a.again, a.recognized, a.after = true, true, max(a.after, after)
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		a.err = refused
		return a
	case isAssembly && (assembly.Error == "" || assembly.ID != "" && !notFound(assembly.Error)), !isAssembly:
		if !a.again || doc.Summary().ID != "" {
			a.doc, a.again = doc, false
			return a
		}
		a.err = refused
		return a
	}
	a.err = fmt.Errorf("replay: %s answered %d %s", redactURL(u), resp.StatusCode, assembly.Error)
	if assembly.Message != "" {
		a.err = fmt.Errorf("%w: %s", a.err, assembly.Message)
	}
	return a
}

// refusedPoll is a response without a Status to a request for one. The text of a
// ResponseError, which is about event streams, would mislead.
type refusedPoll struct{ response *ssewire.ResponseError }

func (e refusedPoll) Error() string {
	r := e.response
	if r.StatusCode != http.StatusOK {
		return fmt.Sprintf("replay: %s answered %d %s when asked for the Status", r.URL, r.StatusCode, http.StatusText(r.StatusCode))
	}
	return fmt.Sprintf("replay: %s answered with content type %q when asked for the Status, not with a Status", r.URL, r.Header.Get("Content-Type"))
}

func (e refusedPoll) Unwrap() error { return e.response }

// ofPoll returns err, of a response to a request for a Status, with a text that fits.
func ofPoll(err error) error {
	if refused, ok := err.(*ssewire.ResponseError); ok {
		return refusedPoll{refused}
	}
	return err
}

// discreetError is an error whose own text would show credentials.
type discreetError struct {
	error
	text string
}

func (e discreetError) Error() string { return e.text }
func (e discreetError) Unwrap() error { return e.error }

// hideCredentials returns err, of an http.Client, without the credentials in the URLs of its
// text.
func hideCredentials(err error) error {
	text := err.Error()
	var sent *url.Error
	if errors.As(err, &sent) {
		if u, err := url.Parse(sent.URL); err == nil {
			text = strings.ReplaceAll(text, strconv.Quote(sent.URL), strconv.Quote(redactURL(u)))
		}
	}
	if redacted := redactError(errors.New(text)).Error(); redacted != err.Error() {
		return discreetError{err, redacted}
	}
	return err
}

// mayPass returns whether a request that was answered with that status code may go
// better another time.
func mayPass(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code == http.StatusTooEarly || code >= 500
}

// tells returns whether a document is about a job or an error, rather than other JSON
// that happens to share a key with one.
func tells(doc status.Document) bool {
	a, ok := doc.(*status.Assembly)
	return doc.Summary().ID != "" || ok && (a.State.Busy() || a.State.Terminal() || a.Error != "" || a.Failed())
}

// notFound returns whether an error means that there is no such Assembly. The answer has
// its ID all the same.
func notFound(code status.ErrorCode) bool {
	return code == status.ErrorAssemblyNotFound || code == status.ErrorAssemblyStatusNotFound
}

var errNoObject = errors.New("no JSON object")

// readObject reads a JSON object; of anything else it reads only the beginning.
func readObject(body io.Reader) ([]byte, error) {
	r := bufio.NewReaderSize(io.LimitReader(body, maxStatus+1), 64<<10)
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF:
			return nil, errNoObject
		case err != nil:
			return nil, err
		case c == ' ', c == '\t', c == '\r', c == '\n':
			continue
		case c != '{':
			return nil, errNoObject
		}
		break
	}
	r.UnreadByte()
	data, err := io.ReadAll(r)
	if err == nil && len(data) > maxStatus {
		err = fmt.Errorf("replay: the document is larger than %d bytes", maxStatus)
	}
	return data, err
}

// retryAfter returns how long to wait by the header of that name, 0 if there is none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
