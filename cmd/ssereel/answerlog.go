package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ssereel/ssereel/replay"
)

// logAnswers returns h with a line to w for each answer.
func logAnswers(h http.Handler, w io.Writer) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		a := &answerLog{ResponseWriter: rw, w: w, req: req, shown: target(req.URL)}
		defer a.end()
		h.ServeHTTP(a, req.WithContext(context.WithValue(req.Context(), answerLogKey{}, a)))
	})
}

type answerLogKey struct{} // of an *answerLog in a request's context

func loggedAnswer(req *http.Request) *answerLog {
	return req.Context().Value(answerLogKey{}).(*answerLog)
}

// An answerLog is the log of one answer, which it sees on its way.
type answerLog struct {
	http.ResponseWriter
	w      io.Writer
	req    *http.Request
	shown  string // URL
	source string // of the answer, empty if that is none of the recording's
	told   bool
}

// from notes what is answered with: an exchange, or what is made of several.
func (a *answerLog) from(x *replay.Exchange) {
	if x == nil {
		a.source = "made of what was recorded"
		return
	}
	if query := a.req.URL.RawQuery; query != "" && strings.HasSuffix(x.URL, "?"+query) {
		a.shown = strings.TrimSuffix(a.shown, hidden) + query // which is in the recording, where no credentials are
	}
	took := "in " + seconds(x.Ended-x.Sent)
	if x.End == replay.EndUnknown { // there is no moment of it
		took = "and no end"
	}
	a.source = fmt.Sprintf("exchange %d, recorded with %s %s", x.Number, count(x.Size, "byte"), took)
}

func (a *answerLog) WriteHeader(status int) {
	if status >= http.StatusOK && !a.told {
		a.told = true
		what := fmt.Sprintf("%d %s", status, http.StatusText(status))
		if a.source != "" {
			what += ", " + a.source
		}
		switch id := a.req.Header.Get("Last-Event-ID"); {
		case a.source == "" || id == "":
		case status == http.StatusNoContent:
			what += fmt.Sprintf("; nothing comes after the event ID %s", clip(id))
		default:
			what += fmt.Sprintf("; asked for what comes after the event ID %s", clip(id))
		}
		a.tell(what)
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a header first, if there was none, as whatever it wraps would.
func (a *answerLog) Write(p []byte) (int, error) {
	if !a.told {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answerLog) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// end tells of an answer that was broken before it began.
func (a *answerLog) end() {
	if !a.told && a.source != "" {
		a.tell("no response, " + a.source)
	}
}

func (a *answerLog) tell(what string) {
	fmt.Fprintf(a.w, "%s %s %s: %s\n", time.Now().Format(time.TimeOnly), a.req.Method, printable(a.shown), printable(what))
}
