package reeltest

import (
	"net/http"
	"strings"
	"sync"

	"github.com/ssereel/ssereel/replay"
)

// faultWatch knows which faults of a playback have happened.
type faultWatch struct {
	mu       sync.Mutex
	waiting  []replay.Fault
	replayed bool // an event stream, which is what faults happen to
}

// watchFaults returns the watch for p, which goes on telling its own hooks.
func watchFaults(p *replay.Playback) *faultWatch {
	w := new(faultWatch)
	for _, f := range p.Faults {
		if f != nil {
			w.waiting = append(w.waiting, f)
		}
	}
	onServe, onFault := p.OnServe, p.OnFault
	p.OnServe = func(req *http.Request, x *replay.Exchange) {
		w.serve(x)
		if onServe != nil {
			onServe(req, x)
		}
	}
	p.OnFault = func(req *http.Request, x *replay.Exchange, fault replay.Fault) {
		w.happen(fault)
		if onFault != nil {
			onFault(req, x, fault)
		}
	}
	return w
}

func (w *faultWatch) serve(x *replay.Exchange) {
	if x != nil && x.IsEventStream() {
		w.mu.Lock()
		w.replayed = true
		w.mu.Unlock()
	}
}

// happen strikes a fault out. One without a place has got the place that was drawn.
func (w *faultWatch) happen(fault replay.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	placed := fault.String()
	drawn, _, _ := strings.Cut(placed, "@")
	for _, text := range []string{placed, drawn} {
		for i, f := range w.waiting {
			if f.String() == text {
				w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
				return
			}
		}
	}
}

// missing returns the faults that could have happened, and have not.
func (w *faultWatch) missing() []replay.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.replayed {
		return nil
	}
	return w.waiting
}
