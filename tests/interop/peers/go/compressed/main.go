// Compressed is a client for the compression cases, on grpc-go: grpc-go's own client leaves them out. It has no
// client_compressed_streaming, because grpc-go compresses all messages of a stream or none.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"weir/interop/peers/flags"
)

const (
	requestSize  = 271828
	responseSize = 314159
)

func yes(value bool) *testgrpc.BoolValue { return &testgrpc.BoolValue{Value: value} }

func large() *testgrpc.SimpleRequest {
	return &testgrpc.SimpleRequest{
		ResponseSize: responseSize,
		Payload:      &testgrpc.Payload{Body: make([]byte, requestSize)},
	}
}

func unary(ctx context.Context, stub testgrpc.TestServiceClient, in *testgrpc.SimpleRequest,
	options ...grpc.CallOption) {
	out, err := stub.UnaryCall(ctx, in, options...)
	if err != nil {
		log.Fatalf("UnaryCall: %v", err)
	}
	if len(out.GetPayload().GetBody()) != responseSize {
		log.Fatalf("response of %d B, expected %d", len(out.GetPayload().GetBody()), responseSize)
	}
}

func clientCompressedUnary(ctx context.Context, stub testgrpc.TestServiceClient) {
	in := large()
	in.ExpectCompressed = yes(true)
	if _, err := stub.UnaryCall(ctx, in); status.Code(err) != codes.InvalidArgument {
		log.Fatalf("the probe ended with %v, expected InvalidArgument", err)
	}
	unary(ctx, stub, in, grpc.UseCompressor(gzip.Name))
	in.ExpectCompressed = yes(false)
	unary(ctx, stub, in)
}

func serverCompressedUnary(ctx context.Context, stub testgrpc.TestServiceClient) {
	for _, wanted := range []bool{true, false} {
		in := large()
		in.ResponseCompressed = yes(wanted)
		counted, call := flags.With(ctx)
		unary(counted, stub, in)
		if call.Last() != wanted {
			log.Fatalf("response compressed: %v, expected %v", call.Last(), wanted)
		}
	}
}

func serverCompressedStreaming(ctx context.Context, stub testgrpc.TestServiceClient) {
	sizes := []int32{31415, 92653}
	wanted := []bool{true, false}
	in := &testgrpc.StreamingOutputCallRequest{}
	for i, size := range sizes {
		in.ResponseParameters = append(in.ResponseParameters,
			&testgrpc.ResponseParameters{Size: size, Compressed: yes(wanted[i])})
	}
	counted, call := flags.With(ctx)
	stream, err := stub.StreamingOutputCall(counted, in)
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; ; i++ {
		out, err := stream.Recv()
		if err == io.EOF && i == len(sizes) {
			break
		}
		if err != nil || i >= len(sizes) {
			log.Fatalf("after %d responses: %v", i, err)
		}
		if len(out.GetPayload().GetBody()) != int(sizes[i]) {
			log.Fatalf("response %d has %d B, expected %d", i, len(out.GetPayload().GetBody()), sizes[i])
		}
	}
	if fmt.Sprint(call.Seen()) != fmt.Sprint(wanted) {
		log.Fatalf("responses compressed: %v, expected %v", call.Seen(), wanted)
	}
}

func main() {
	host := flag.String("server_host", "127.0.0.1", "")
	port := flag.Int("server_port", 0, "")
	name := flag.String("test_case", "", "")
	flag.Parse()
	run, ok := map[string]func(context.Context, testgrpc.TestServiceClient){
		"client_compressed_unary":     clientCompressedUnary,
		"server_compressed_unary":     serverCompressedUnary,
		"server_compressed_streaming": serverCompressedStreaming,
	}[*name]
	if !ok {
		log.Fatalf("no case %q here", *name)
	}
	connection, err := grpc.NewClient(fmt.Sprintf("%s:%d", *host, *port),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(flags.Handler{}))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	run(ctx, testgrpc.NewTestServiceClient(connection))
	fmt.Println(*name, "passed")
}
