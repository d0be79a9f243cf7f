package replay

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What may be the name of a part is looked at without going through all of the body again, or
// one that is made for that would take minutes.
func TestMaskPartsInTime(t *testing.T) {
	for _, part := range []string{`name=`, "name=\"key\"\r\n", "content-disposition: name=key ", `<input name=x value=1>`, `\u003d`, `\u0065`, `\u0022:`, `;key=`, "%253D", "a%3A%2F%2F", "a%3A%2F%2Fb%3A", `"a-key:`, `"key":[`, `"key":["a",`} {
		for _, kind := range []string{"application/json", "multipart/form-data; boundary=a"} {
			body := []byte(strings.Repeat(part, 1<<20/len(part)))
			began := time.Now()
			newMasker(http.Header{"Content-Type": {kind}}, true).mask(body)
			if took := time.Since(began); took > 10*time.Second { // over a minute, if it did
				t.Errorf("%q as %s takes %v", part, kind, took)
			}
		}
	}
}
