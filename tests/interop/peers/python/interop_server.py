"""The interoperability cases' test service on Python's grpcio. Prints its port once it listens.

grpcio does not show a handler whether a request was compressed, so expect_compressed cannot be honoured here: the
cases client_compressed_* need another server.
"""

import signal
import sys
import threading
import time
from concurrent import futures

import grpc

import testing_pb2 as pb
import testing_pb2_grpc as stubs

INITIAL_KEY = "x-grpc-test-echo-initial"
TRAILING_KEY = "x-grpc-test-echo-trailing-bin"


def echo_metadata(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL_KEY:
            context.send_initial_metadata(((key, value),))
        elif key == TRAILING_KEY:
            context.set_trailing_metadata(((key, value),))


def echo_status(request, context):
    """Ends the call with the status the request asks for."""
    if request.HasField("response_status") and request.response_status.code != 0:
        code = next(c for c in grpc.StatusCode if c.value[0] == request.response_status.code)
        context.abort(code, request.response_status.message)


def responses(request, context):
    compressing = any(p.compressed.value for p in request.response_parameters)
    for parameters in request.response_parameters:
        if compressing and not parameters.compressed.value:
            context.disable_next_message_compression()
        if parameters.interval_us:
            time.sleep(parameters.interval_us / 1e6)
        yield pb.StreamingOutputCallResponse(payload=pb.Payload(body=bytes(parameters.size)))


class TestService(stubs.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return pb.Empty()

    def UnaryCall(self, request, context):
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo_metadata(context)
        echo_status(request, context)
        return pb.SimpleResponse(payload=pb.Payload(body=bytes(request.response_size)))

    def StreamingOutputCall(self, request, context):
        if any(p.compressed.value for p in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from responses(request, context)

    def StreamingInputCall(self, request_iterator, context):
        total = sum(len(request.payload.body) for request in request_iterator)
        return pb.StreamingInputCallResponse(aggregated_payload_size=total)

    def FullDuplexCall(self, request_iterator, context):
        echo_metadata(context)
        for request in request_iterator:
            echo_status(request, context)
            yield from responses(request, context)

    # UnimplementedCall stays as generated: it answers UNIMPLEMENTED.


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    stubs.add_TestServiceServicer_to_server(TestService(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on {port}", flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    server.stop(1).wait()


if __name__ == "__main__":
    sys.exit(main())
