// Package flags tells which received messages were compressed: grpc-go reports it to statistics handlers only.
package flags

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

type key struct{}

// Call holds one flag per message received so far in a call.
type Call struct {
	lock sync.Mutex
	seen []bool
}

// Seen returns the flags, oldest message first.
func (c *Call) Seen() []bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return append([]bool(nil), c.seen...)
}

// Last reports whether the message received last was compressed.
func (c *Call) Last() bool {
	seen := c.Seen()
	return len(seen) > 0 && seen[len(seen)-1]
}

// With returns a context whose calls are recorded in the Call beside it: for clients, who make the context.
func With(ctx context.Context) (context.Context, *Call) {
	call := &Call{}
	return context.WithValue(ctx, key{}, call), call
}

// Of returns the record of the call a handler runs in.
func Of(ctx context.Context) *Call {
	call, _ := ctx.Value(key{}).(*Call)
	return call
}

// Handler records; install it on a client connection or a server.
type Handler struct{}

func (Handler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	if Of(ctx) == nil {
		ctx, _ = With(ctx)
	}
	return ctx
}

// The payloads of these cases are all zeros, which gzip always makes shorter: a size that differs means compressed.
func (Handler) HandleRPC(ctx context.Context, event stats.RPCStats) {
	in, ok := event.(*stats.InPayload)
	call := Of(ctx)
	if !ok || call == nil {
		return
	}
	call.lock.Lock()
	defer call.lock.Unlock()
	call.seen = append(call.seen, in.CompressedLength != in.Length)
}

func (Handler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (Handler) HandleConn(context.Context, stats.ConnStats) {}
