package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ssereel/ssereel/ssewire"
	"github.com/ssereel/ssereel/status"
)

// maxStatus bounds the documents that are read, in bytes. Those of the largest
// Assemblies have a few million.
const maxStatus = 64 << 20

// answered is what a request for a Status has brought.
type answered struct {
	doc  status.Document // nil where err is not
	size int
	err  error

	again bool          // it may go better another time
	after time.Duration // so long from now at the earliest
	odd   bool          // no Status, as of a proxy that is out of sorts

	// An error that only the API of Assemblies knows, and that will pass.
	recognized bool
}

// readAnswer reads the response of u, which should be a Status.
func readAnswer(resp *http.Response, u *url.URL) (a answered) {
	defer resp.Body.Close()
	ok := resp.StatusCode == http.StatusOK
	data, err := []byte(nil), errNoObject
	if !(&Exchange{StatusCode: resp.StatusCode, Header: resp.Header}).IsEventStream() { // which may never say anything
		data, err = readObject(resp.Body)
	}
	a.size = len(data)
	if mayPass(resp.StatusCode) {
		a.again, a.after = true, retryAfter(resp.Header)
	}
	refused := &ssewire.ResponseError{URL: u.Redacted(), StatusCode: resp.StatusCode, Header: resp.Header}
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
			a.err = fmt.Errorf("replay: %s answered with JSON that cannot be followed: %w", u.Redacted(), err)
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
	a.err = fmt.Errorf("replay: %s answered %d %s", u.Redacted(), resp.StatusCode, assembly.Error)
	if assembly.Message != "" {
		a.err = fmt.Errorf("%w: %s", a.err, assembly.Message)
	}
	return a
}

// mayPass returns whether a request that was answered with that status code may go
// better another time.
func mayPass(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code == http.StatusTooEarly || code >= 500
}

// tells returns whether a document is about a job or an error, rather than JSON
// that happens to have a key of theirs.
func tells(doc status.Document) bool {
	a, ok := doc.(*status.Assembly)
	return doc.Summary().ID != "" || ok && (a.State.Busy() || a.State.Terminal() || a.Error != "" || a.Failed())
}

// notFound returns whether an error means that there is no such Assembly, which is
// then named all the same.
func notFound(code status.ErrorCode) bool {
	return code == status.ErrorAssemblyNotFound || code == status.ErrorAssemblyStatusNotFound
}

var errNoObject = errors.New("no JSON object")

// readObject reads a document that is a JSON object, and of anything else only the
// beginning.
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

// retryAfter returns what the header of that name says.
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
