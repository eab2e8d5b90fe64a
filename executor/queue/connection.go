package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nsqio/go-nsq"
)

// replyTimeout bounds the wait for nsqd's word on one command.
const replyTimeout = 3 * time.Second

var (
	errNoReply = errors.New("no reply in time")
	errClosed  = errors.New("connection closed")
)

// connection is one connection to one nsqd, used for one life: it is never
// reconnected. It is the delegate of its nsq.Conn, whose goroutines call the On…
// methods, which never block.
type connection struct {
	conn      *nsq.Conn
	onMessage func(*nsq.Message)
	replies   chan error    // what nsqd says: nil for OK
	closed    chan struct{} // closed when the connection's goroutines are gone
}

// dial connects and identifies; onMessage may be nil.
func (q *Queue) dial(addr string, cfg *nsq.Config, onMessage func(*nsq.Message)) (*connection, error) {
	c := &connection{onMessage: onMessage, replies: make(chan error, 8), closed: make(chan struct{})}
	c.conn = nsq.NewConn(addr, cfg, c)
	c.conn.SetLogger(&output{log: q.log.With("nsqd", addr)}, nsq.LogLevelError, "")
	if _, err := c.conn.Connect(); err != nil {
		_ = c.conn.Close() // it never got going: the error above says why
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return c, nil
}

// ask sends a command and waits for the reply. After an error that is not
// nsqd's word the connection must be closed: a late reply would be taken for
// another's.
func (c *connection) ask(cmd *nsq.Command) error {
	if err := c.conn.WriteCommand(cmd); err != nil {
		return err
	}
	t := time.NewTimer(replyTimeout)
	defer t.Stop()
	select {
	case err := <-c.replies:
		return err
	case <-c.closed:
		return errClosed
	case <-t.C:
		return errNoReply
	}
}

func (c *connection) close() {
	_ = c.conn.Close() // what it has to say came over replies
	<-c.closed
}

func (c *connection) reply(err error) {
	select {
	case c.replies <- err:
	default:
	}
}

func (c *connection) OnMessage(_ *nsq.Conn, m *nsq.Message) {
	if c.onMessage != nil {
		c.onMessage(m)
		return
	}
	m.Finish()
}

func (c *connection) OnResponse(*nsq.Conn, []byte) { c.reply(nil) }

// OnError hears what nsqd refuses. A message that it no longer waits for is
// nothing.
func (c *connection) OnError(_ *nsq.Conn, b []byte) {
	if !strings.HasPrefix(string(b), "E_FIN_FAILED") {
		c.reply(nsq.ErrProtocol{Reason: string(b)})
	}
}

func (c *connection) OnIOError(conn *nsq.Conn, err error) {
	c.reply(err)
	_ = conn.Close()
}

func (c *connection) OnClose(*nsq.Conn)                         { close(c.closed) }
func (c *connection) OnMessageFinished(*nsq.Conn, *nsq.Message) {}
func (c *connection) OnMessageRequeued(*nsq.Conn, *nsq.Message) {}
func (c *connection) OnBackoff(*nsq.Conn)                       {}
func (c *connection) OnContinue(*nsq.Conn)                      {}
func (c *connection) OnResume(*nsq.Conn)                        {}
func (c *connection) OnHeartbeat(*nsq.Conn)                     {}
