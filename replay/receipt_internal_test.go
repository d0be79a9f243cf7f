package replay

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// claimed returns how much of x a client has that comes back.
func claimed(rs *receipts, x *Exchange) int64 {
	_, bytes := rs.claim(map[*Exchange]ranges{x: {{0, 1 << 40}}}, true)
	return bytes
}

// A client that comes back has what it had then, whatever others get while it is waited for.
func TestClaimWaits(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile func(slow, fast *receipt)
		want      int64
	}{
		{"nobody leaves, and the last gets more", func(_, fast *receipt) { fast.deliver(20) }, 10},
		{"it is seen to have left", func(slow, _ *receipt) { slow.end() }, 5},
		{"its old connection is sent more before", func(slow, _ *receipt) { slow.send(); slow.deliver(7); slow.end() }, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, rs := &Exchange{Number: 1, Size: 100}, newReceipts()
				slow, fast := rs.open(x, 5, false), rs.open(x, 10, false)
				time.AfterFunc(10*time.Millisecond, func() { c.meanwhile(slow, fast) })
				if got := claimed(rs, x); got != c.want {
					t.Errorf("it has %d bytes, want %d", got, c.want)
				}
			})
		})
	}
}

// Two clients have left, with 2 and with 12 bytes of 12. Whoever asks, and in whatever order,
// lacks nothing; and one that has all does not begin behind 2 for ever.
func TestClaimsOfTwo(t *testing.T) {
	x, rs := &Exchange{Number: 1, Size: 12, End: EndEOF}, newReceipts()
	leave := func(from, bytes int64) {
		r := rs.open(x, from, false)
		r.deliver(bytes)
		r.end()
	}
	leave(0, 2)
	leave(0, 12)
	var got []int64
	for range 3 { // the one that has all, which reads on to the end
		from := claimed(rs, x)
		got = append(got, from)
		leave(from, 12)
	}
	if want := []int64{2, 2, 12}; !slices.Equal(got, want) {
		t.Errorf("it goes on behind %v bytes, want %v", got, want)
	}
	if got := claimed(rs, x); got != 2 {
		t.Errorf("the other goes on behind %d bytes, want 2", got)
	}
}

// What was claimed of a connection that goes on was another client's: its own is still there to
// be claimed. What ends without a further word was the one that came back.
func TestClaimOfConnected(t *testing.T) {
	x := &Exchange{Number: 1, Size: 100}
	for _, goesOn := range []bool{true, false} {
		rs := newReceipts()
		r := rs.open(x, 3, false)
		if got := claimed(rs, x); got != 3 {
			t.Errorf("it has %d bytes, want 3", got)
		}
		want := int64(0)
		if goesOn {
			r.deliver(5)
			want = 5
		}
		r.end()
		if got := claimed(rs, x); got != want || len(rs.list) != 0 {
			t.Errorf("goes on: %v: it has %d bytes, want %d, and %d receipts are left", goesOn, got, want, len(rs.list))
		}
	}
}

// Where there are too many, an old receipt goes first, and then that of most.
func TestReceiptsAreForgotten(t *testing.T) {
	x, rs := &Exchange{Number: 1, Size: 1 << 30}, newReceipts()
	old := rs.open(x, 1, false)
	old.end()
	rs.open(x, 0, true)
	var most *receipt
	for len(rs.list) < maxReceipts {
		most = rs.open(x, int64(10+len(rs.list)), false)
	}
	for _, r := range []*receipt{old, most} {
		if !slices.Contains(rs.list, r) {
			t.Fatal("it is forgotten too early")
		}
		rs.open(x, 2, false)
		if slices.Contains(rs.list, r) || len(rs.list) != maxReceipts {
			t.Errorf("that of %d bytes is not forgotten, of %d", r.bytes.Load(), len(rs.list))
		}
	}
}

// A client that was refused has what it had.
func TestComebackPutBack(t *testing.T) {
	x, rs := &Exchange{Number: 1, Size: 100}, newReceipts()
	comeback{x: x, claimed: x, delivered: 7}.putBack(rs)
	comeback{x: x}.putBack(rs)
	if got := claimed(rs, x); got != 7 || len(rs.list) != 0 {
		t.Errorf("it has %d bytes, want 7, and there are %d more", got, len(rs.list))
	}
}
