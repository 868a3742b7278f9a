"""The gRPC interoperability cases as a client on Python's grpcio: one case a run, exit code 0 when it passed.

grpcio does not show the compressed flag of a received message, so server_compressed_* are absent here. Nor does it let
a client choose the flag of one message: client_compressed_streaming sends an incompressible second message, which the C
core sends as it is because compressing would make it longer.
"""

import argparse
import os
import sys
import time

import grpc

import testing_pb2 as pb
import testing_pb2_grpc as stubs

LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
INITIAL_KEY, INITIAL_VALUE = "x-grpc-test-echo-initial", "test_initial_metadata_value"
TRAILING_KEY, TRAILING_VALUE = "x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {actual!r}")


def expect_status(call, code, message=None):
    """The call's end is awaited by taking its code; a message is compared when given."""
    expect(call.code(), code, f"status ({call.details()!r})")
    if message is not None:
        expect(call.details(), message, "status message")


def payload(size):
    return pb.Payload(body=bytes(size))


def large_request(**more):
    return pb.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST), **more)


def check_large(response):
    expect(response.payload.body, bytes(LARGE_RESPONSE), "payload")


def output_request(size, **more):
    return pb.StreamingOutputCallRequest(response_parameters=[pb.ResponseParameters(size=size)], **more)


class Feed:
    """Requests handed to a stream one at a time, as the case goes on."""

    def __init__(self, first=None):
        from queue import Queue

        self.queue = Queue()
        if first is not None:
            self.queue.put(first)

    def send(self, request):
        self.queue.put(request)

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


@case
def empty_unary(stub, _):
    expect(stub.EmptyCall(pb.Empty()), pb.Empty(), "response")


@case
def large_unary(stub, _):
    check_large(stub.UnaryCall(large_request()))


@case
def client_compressed_unary(stub, _):
    probe = large_request(expect_compressed=pb.BoolValue(value=True))
    try:
        stub.UnaryCall(probe)
        raise AssertionError(
            "the server took an uncompressed message where it was told to expect a compressed one"
        )
    except grpc.RpcError as error:
        expect(error.code(), grpc.StatusCode.INVALID_ARGUMENT, "status of the probe")
    check_large(stub.UnaryCall(probe, compression=grpc.Compression.Gzip))
    check_large(stub.UnaryCall(large_request(expect_compressed=pb.BoolValue(value=False))))


@case
def client_streaming(stub, _):
    requests = (pb.StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES)
    expect(stub.StreamingInputCall(requests).aggregated_payload_size, sum(REQUEST_SIZES), "sum of sizes")


@case
def client_compressed_streaming(stub, _):
    probe = pb.StreamingInputCallRequest(payload=payload(27182), expect_compressed=pb.BoolValue(value=True))
    try:
        stub.StreamingInputCall(iter([probe]))
        raise AssertionError(
            "the server took an uncompressed message where it was told to expect a compressed one"
        )
    except grpc.RpcError as error:
        expect(error.code(), grpc.StatusCode.INVALID_ARGUMENT, "status of the probe")
    plain = pb.StreamingInputCallRequest(
        payload=pb.Payload(body=os.urandom(45904)), expect_compressed=pb.BoolValue(value=False)
    )
    response = stub.StreamingInputCall(iter([probe, plain]), compression=grpc.Compression.Gzip)
    expect(response.aggregated_payload_size, 73086, "sum of sizes")


@case
def server_streaming(stub, _):
    request = pb.StreamingOutputCallRequest(
        response_parameters=[pb.ResponseParameters(size=size) for size in RESPONSE_SIZES]
    )
    bodies = [response.payload.body for response in stub.StreamingOutputCall(request)]
    expect(bodies, [bytes(size) for size in RESPONSE_SIZES], "payloads")


@case
def ping_pong(stub, _):
    feed = Feed()
    call = stub.FullDuplexCall(iter(feed))
    for up, down in zip(REQUEST_SIZES, RESPONSE_SIZES):
        feed.send(output_request(down, payload=payload(up)))
        expect(next(call).payload.body, bytes(down), "payload")
    feed.close()
    expect(list(call), [], "responses after the last")
    expect_status(call, grpc.StatusCode.OK)


@case
def empty_stream(stub, _):
    call = stub.FullDuplexCall(iter([]))
    expect(list(call), [], "responses")
    expect_status(call, grpc.StatusCode.OK)


def check_echo(call):
    initial = dict(call.initial_metadata())
    trailing = dict(call.trailing_metadata())
    expect(initial.get(INITIAL_KEY), INITIAL_VALUE, "initial metadata")
    expect(trailing.get(TRAILING_KEY), TRAILING_VALUE, "trailing metadata")


@case
def custom_metadata(stub, _):
    metadata = ((INITIAL_KEY, INITIAL_VALUE), (TRAILING_KEY, TRAILING_VALUE))
    response, call = stub.UnaryCall.with_call(large_request(), metadata=metadata)
    check_large(response)
    check_echo(call)
    feed = Feed(output_request(LARGE_RESPONSE, payload=payload(LARGE_REQUEST)))
    stream = stub.FullDuplexCall(iter(feed), metadata=metadata)
    expect(next(stream).payload.body, bytes(LARGE_RESPONSE), "payload")
    feed.close()
    expect(list(stream), [], "responses after the first")
    check_echo(stream)


@case
def status_code_and_message(stub, _):
    status = pb.EchoStatus(code=2, message="test status message")
    unary = stub.UnaryCall.future(pb.SimpleRequest(response_status=status))
    expect_status(unary, grpc.StatusCode.UNKNOWN, status.message)
    stream = stub.FullDuplexCall(iter([pb.StreamingOutputCallRequest(response_status=status)]))
    expect_status(stream, grpc.StatusCode.UNKNOWN, status.message)


@case
def special_status_message(stub, _):
    status = pb.EchoStatus(code=2, message=SPECIAL_MESSAGE)
    call = stub.UnaryCall.future(pb.SimpleRequest(response_status=status))
    expect_status(call, grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)


@case
def unimplemented_method(stub, _):
    expect_status(stub.UnimplementedCall.future(pb.Empty()), grpc.StatusCode.UNIMPLEMENTED)


@case
def unimplemented_service(_, options):
    with open_channel(options) as channel:
        stub = stubs.UnimplementedServiceStub(channel)
        expect_status(stub.UnimplementedCall.future(pb.Empty()), grpc.StatusCode.UNIMPLEMENTED)


@case
def cancel_after_begin(stub, _):
    feed = Feed()
    call = stub.StreamingInputCall.future(iter(feed))
    call.cancel()
    feed.close()
    expect(call.cancelled(), True, "cancelled")
    expect_status(call, grpc.StatusCode.CANCELLED)


@case
def cancel_after_first_response(stub, _):
    feed = Feed(output_request(31415, payload=payload(27182)))
    call = stub.FullDuplexCall(iter(feed))
    expect(next(call).payload.body, bytes(31415), "payload")
    call.cancel()
    feed.close()
    try:
        next(call)
        raise AssertionError("a response came after the cancel")
    except grpc.RpcError:
        expect_status(call, grpc.StatusCode.CANCELLED)


@case
def timeout_on_sleeping_server(stub, _):
    feed = Feed(pb.StreamingOutputCallRequest(payload=payload(27182)))
    call = stub.FullDuplexCall(iter(feed), timeout=0.001)
    try:
        next(call)
        raise AssertionError("a response came after the deadline")
    except grpc.RpcError:
        expect_status(call, grpc.StatusCode.DEADLINE_EXCEEDED)
    finally:
        feed.close()


def soak(options, stub_of):
    """Every iteration must succeed, and all of them within the overall time."""
    end = time.monotonic() + options.soak_overall_timeout_seconds
    for iteration in range(options.soak_iterations):
        check_large(stub_of(iteration).UnaryCall(large_request(), timeout=max(0.0, end - time.monotonic())))


@case
def rpc_soak(stub, options):
    soak(options, lambda _: stub)


@case
def channel_soak(_, options):
    channels = []

    def fresh(_):
        if channels:
            channels.pop().close()
        # A subchannel pool of its own: without it the core would hand out the connection of the channel before.
        channels.append(open_channel(options, [("grpc.use_local_subchannel_pool", 1)]))
        return stubs.TestServiceStub(channels[-1])

    soak(options, fresh)
    channels.pop().close()


def open_channel(options, arguments=()):
    return grpc.insecure_channel(f"{options.server_host}:{options.server_port}", options=list(arguments))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server_host", default="127.0.0.1")
    parser.add_argument("--server_port", type=int, required=True)
    parser.add_argument("--test_case", required=True, choices=sorted(CASES))
    parser.add_argument("--soak_iterations", type=int, default=100)
    parser.add_argument("--soak_overall_timeout_seconds", type=float, default=30)
    options = parser.parse_args()
    with open_channel(options) as channel:
        CASES[options.test_case](stubs.TestServiceStub(channel), options)
    print(f"{options.test_case} passed")


if __name__ == "__main__":
    sys.exit(main())
