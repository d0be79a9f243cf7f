package replay

import (
	"cmp"
	"iter"
	"slices"

	"github.com/ssereel/ssereel/status"
)

// Documents returns the jobs that the recording tells of, each as it stands at the end, in
// the order in which they were first asked for: of an Assembly a *status.Tracker that has
// been told all Statuses and updates in their order, and of a generation job of Scenario
// the last *status.Job. What cannot be decoded tells nothing, and neither does what is
// compressed or cannot be read any more. A stream whose events are none of an Assembly's is
// not taken for one, whatever ids there are in its URL.
//
// It reads the streams anew each time.
func (r *Recording) Documents() iter.Seq[status.Document] {
	return func(yield func(status.Document) bool) {
		all := newStories(r.exchanges)
		stories := slices.Concat(all.assemblies, all.jobs)
		slices.SortStableFunc(stories, func(a, b *story) int { return cmp.Compare(a.begin, b.begin) })
		for _, s := range stories {
			if d := s.end(); d != nil && !yield(d) {
				return
			}
		}
	}
}

// end returns the job as it stands when all has been told, nil if it turns out to be none.
func (s *story) end() status.Document {
	if !s.isJob {
		t := newTelling(s, &status.Assembly{ID: s.id})
		if t.tell(forever, forever, nil); t.strange && !t.told {
			return nil
		}
		return &t.tracker
	}
	for _, x := range slices.Backward(s.tellers) {
		j := new(status.Job)
		if status.DecodeJob(x.document(), j) == nil {
			return j
		}
	}
	return nil
}
