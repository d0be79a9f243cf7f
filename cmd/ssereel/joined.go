package main

import (
	"net"
	"sync"
	"time"
)

// joinedListener accepts connections whose writes go out together, as many as there are
// while the ones before are on their way. What is played as fast as it goes costs a call of
// the system for every piece otherwise, which is nearly all the time that it takes. The
// pieces stay chunks of HTTP's.
type joinedListener struct{ net.Listener }

func (l joinedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &joinedConn{Conn: conn}
	c.changed = sync.NewCond(&c.mu)
	go c.send()
	return c, nil
}

// joinedConn is a connection that a goroutine of its own writes to, until it is closed.
type joinedConn struct {
	net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	waiting []byte // to be written
	closed  bool
	err     error // of the write that failed
}

const (
	// maxJoined is how much may wait, in bytes, until a write does as well.
	maxJoined = 64 << 10

	// lastWrites is how long a connection that is closed goes on writing what has been
	// written to it.
	lastWrites = 5 * time.Second
)

func (c *joinedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) >= maxJoined && c.err == nil && !c.closed {
		c.changed.Wait()
	}
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.err != nil {
		return 0, c.err
	}
	if len(c.waiting) == 0 {
		c.changed.Broadcast()
	}
	c.waiting = append(c.waiting, p...)
	return len(p), nil
}

// send writes what waits, until the connection is closed or a write fails, and closes it
// in the end.
func (c *joinedConn) send() {
	defer c.Conn.Close()
	var out []byte
	for {
		c.mu.Lock()
		for len(c.waiting) == 0 && !c.closed {
			c.changed.Wait()
		}
		out, c.waiting = c.waiting, out[:0]
		c.changed.Broadcast()
		c.mu.Unlock()
		if len(out) == 0 {
			return
		}
		if _, err := c.Conn.Write(out); err != nil {
			c.mu.Lock()
			c.err = err
			c.changed.Broadcast()
			c.mu.Unlock()
			return
		}
	}
}

// Close has the connection closed as soon as what has been written to it has gone out: one
// that is cut is cut behind that.
func (c *joinedConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.changed.Broadcast()
		c.SetReadDeadline(time.Now())
		c.SetWriteDeadline(time.Now().Add(lastWrites))
	}
	return nil
}
