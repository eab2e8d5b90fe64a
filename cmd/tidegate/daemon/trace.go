package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tidegate/tidegate/executor/job"
)

// tracing turns spans that parts tell of into OpenTelemetry's. Ids come from the
// traceparent in the request's row and from what the span is: one that is told again
// after a crash, or by another daemon, is the same span.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

func (d *Daemon) openTrace(ctx context.Context) error {
	if d.cfg.Trace.Endpoint == "" {
		return nil
	}
	endpoint, err := url.Parse(d.cfg.Trace.Endpoint)
	if err != nil {
		return fmt.Errorf("trace.endpoint: %w", err)
	}
	if strings.Trim(endpoint.Path, "/") == "" {
		endpoint.Path = "/v1/traces" // where collectors take them
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.String()))
	if err != nil {
		return fmt.Errorf("trace.endpoint: %w", err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(givenIDs{}), sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "tidegate"), attribute.String("service.instance.id", d.owner))))
	d.tracing = &tracing{provider: p, tracer: p.Tracer("tidegate")}
	return nil
}

// span gives what parts tell their spans to; nil where nobody collects them.
func (d *Daemon) span() func(job.Span) {
	if d.tracing == nil {
		return nil
	}
	return d.tracing.tell
}

// first is the span that a request's trace begins with, under which all others are,
// but for attempts, which are under the job.
const first, whole, attempt = "event", "job", "execute"

func (t *tracing) tell(s job.Span) {
	parent := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": s.Trace})
	root := trace.SpanContextFromContext(parent)
	if !root.IsValid() {
		return
	}
	given := ids{root.TraceID(), root.SpanID()}
	ctx := parent
	switch s.Name {
	case first:
		ctx = context.Background()
	case attempt:
		ctx = trace.ContextWithRemoteSpanContext(parent, root.WithSpanID(idOf(s.Trace, whole, time.Time{})))
		given.span = idOf(s.Trace, attempt, s.Start)
	case whole:
		given.span = idOf(s.Trace, whole, time.Time{})
	default:
		given.span = idOf(s.Trace, s.Name, s.Start)
	}
	_, span := t.tracer.Start(context.WithValue(ctx, idsKey{}, given), s.Name, trace.WithTimestamp(s.Start))
	if s.Request != "" {
		span.SetAttributes(attribute.String("tidegate.request", s.Request))
	}
	if s.Attempt > 0 {
		span.SetAttributes(attribute.Int("tidegate.attempt", s.Attempt))
	}
	if s.Error != "" {
		span.SetStatus(codes.Error, s.Error)
	}
	span.End(trace.WithTimestamp(s.End))
}

// idOf names a span of a trace; start tells repeated ones apart.
func idOf(traceparent, name string, start time.Time) (id trace.SpanID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", traceparent, name, start.UnixMilli()))
	copy(id[:], sum[:])
	return id
}

type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

type idsKey struct{}

// givenIDs is a generator that takes the ids out of the context.
type givenIDs struct{}

// NewIDs implements sdktrace.IDGenerator.
func (givenIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	v, _ := ctx.Value(idsKey{}).(ids)
	return v.trace, v.span
}

// NewSpanID implements sdktrace.IDGenerator.
func (givenIDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	v, _ := ctx.Value(idsKey{}).(ids)
	return v.span
}

// close sends what is left, for a moment.
func (t *tracing) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("sending the last traces: %w", err)
	}
	return nil
}
