package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestJoinedConn(t *testing.T) {
	// pipe returns a connection and its other side, which takes what is written when it
	// is read.
	pipe := func() (*joinedConn, net.Conn) {
		near, far := net.Pipe()
		l := make(chan net.Conn, 1)
		l <- near
		conn, err := joinedListener{listenerFunc(func() (net.Conn, error) { return <-l, nil })}.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn.(*joinedConn), far
	}
	t.Run("what waits goes out together, and before the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			conn, far := pipe()
			var want []byte
			for i := range 1000 {
				p := bytes.Repeat([]byte{byte(i)}, i%50)
				if n, err := conn.Write(p); n != len(p) || err != nil {
					t.Fatal(n, err)
				}
				want = append(want, p...)
				clear(p) // which is the caller's again
			}
			conn.Close()
			if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("a write behind the close: %v", err)
			}
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("a read behind the close: %v", err)
			}
			got, reads := []byte(nil), 0
			for buf := make([]byte, 1<<20); ; reads++ {
				n, err := far.Read(buf)
				if got = append(got, buf[:n]...); err != nil {
					break
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes come, want %d", len(got), len(want))
			}
			if reads > 3 {
				t.Errorf("%d writes, want them joined", reads)
			}
		})
	})
	t.Run("a client that does not read holds the writer back, and loses in the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			conn, _ := pipe()
			written := make(chan int)
			go func() {
				n := 0
				for {
					m, err := conn.Write(make([]byte, 1000))
					if n += m; err != nil {
						written <- n
						return
					}
				}
			}()
			synctest.Wait()
			began := time.Now()
			conn.Close()
			if n := <-written; n < maxJoined || n > 3*maxJoined {
				t.Errorf("%d bytes are taken, want about %d", n, maxJoined)
			}
			if time.Since(began) > lastWrites {
				t.Errorf("it ends %v behind the close", time.Since(began))
			}
			time.Sleep(lastWrites) // the connection gives up
		})
	})
}

// listenerFunc is an Accept as a net.Listener.
type listenerFunc func() (net.Conn, error)

func (f listenerFunc) Accept() (net.Conn, error) { return f() }
func (f listenerFunc) Close() error              { return nil }
func (f listenerFunc) Addr() net.Addr            { return nil }
