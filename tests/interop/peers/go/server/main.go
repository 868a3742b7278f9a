// Server is grpc-go's own interoperability test service on a free loopback port, which it prints; around it the
// compression cases that grpc-go's service leaves out.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"weir/interop/peers/flags"
)

type server struct {
	testgrpc.TestServiceServer // grpc-go's
}

func check(ctx context.Context, expected *testgrpc.BoolValue) error {
	if expected != nil && expected.Value != flags.Of(ctx).Last() {
		return status.Errorf(codes.InvalidArgument, "compressed is %v, expected %v", !expected.Value, expected.Value)
	}
	return nil
}

func (s *server) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	if err := check(ctx, in.ExpectCompressed); err != nil {
		return nil, err
	}
	encoding := "identity" // otherwise grpc-go answers in the encoding of the request
	if in.ResponseCompressed.GetValue() {
		encoding = "gzip"
	}
	if err := grpc.SetSendCompressor(ctx, encoding); err != nil && encoding != "identity" {
		return nil, err
	}
	return s.TestServiceServer.UnaryCall(ctx, in)
}

func (s *server) StreamingInputCall(stream testgrpc.TestService_StreamingInputCallServer) error {
	var sum int
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&testgrpc.StreamingInputCallResponse{AggregatedPayloadSize: int32(sum)})
		}
		if err != nil {
			return err
		}
		if err := check(stream.Context(), in.ExpectCompressed); err != nil {
			return err
		}
		sum += len(in.GetPayload().GetBody())
	}
}

func main() {
	port := flag.Int("port", 0, "loopback port, 0 for a free one")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer(grpc.StatsHandler(flags.Handler{}))
	testgrpc.RegisterTestServiceServer(s, &server{interop.NewTestServer()})
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(s.Serve(listener))
}
