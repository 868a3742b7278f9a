// The gRPC interoperability cases as a client on grpc-js: one case a run, exit code 0 when it passed.
// grpc-js does not show whether a received message was compressed, so server_compressed_* are absent here.
'use strict';
const assert = require('assert');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const GZIP = 2;
const NO_COMPRESS = 2; // grpc-js's write flag for one message sent as it is
const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const INITIAL = ['x-grpc-test-echo-initial', 'test_initial_metadata_value'];
const TRAILING = ['x-grpc-test-echo-trailing-bin', Buffer.from([0xab, 0xab, 0xab])];
const SPECIAL = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

const file = path.join(process.env.WEIR_TESTING_PROTO, 'testing.proto');
const testing = grpc.loadPackageDefinition(loader.loadSync(file, { keepCase: true, defaults: true })).grpc.testing;
const options = Object.fromEntries(process.argv.slice(2).map((word) => word.replace(/^--/, '').split('=')));
const address = `${options.server_host || '127.0.0.1'}:${options.server_port}`;

function connect(service = 'TestService', more = {}) {
  return new testing[service](address, grpc.credentials.createInsecure(), more);
}

function unary(stub, method, request, { metadata = new grpc.Metadata(), deadline } = {}) {
  const seen = {};
  return new Promise((resolve) => {
    const call = stub[method](request, metadata, deadline ? { deadline } : {}, (error, response) => {
      Object.assign(seen, { error, response });
    });
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('status', (status) => { seen.status = status; setImmediate(() => resolve(seen)); });
  });
}

// Resolves at the stream's status; `react` is called with each response and its index.
function finished(call, react = () => {}) {
  const seen = { responses: [] };
  return new Promise((resolve) => {
    call.on('data', (response) => { seen.responses.push(response); react(response, seen.responses.length - 1); });
    call.on('metadata', (initial) => { seen.initial = initial; });
    call.on('error', (error) => { seen.error = error; });
    call.on('status', (status) => { seen.status = status; setImmediate(() => resolve(seen)); });
  });
}

function streamUp(stub, requests) {
  return new Promise((resolve) => {
    const call = stub.StreamingInputCall((error, response) => resolve({ error, response }));
    // grpc-js takes a message's flags as its encoding, which older versions of Node refuse in write() itself.
    const flags = requests.map(([, flag]) => flag);
    const send = call._write.bind(call);
    call._write = (message, encoding, done) => send(message, flags.shift() ?? encoding, done);
    for (const [request] of requests) call.write(request);
    call.end();
  });
}

const zeros = (size) => ({ body: Buffer.alloc(size) });
const large = (more = {}) => ({ response_size: 314159, payload: zeros(271828), ...more });
const sizes = (responses) => responses.map((response) => response.payload.body.length);

function ok({ status, error }) {
  assert.strictEqual(status ? status.code : error.code, grpc.status.OK, error && error.message);
}

async function checkLarge(stub, request = large(), more = {}) {
  const seen = await unary(stub, 'UnaryCall', request, more);
  ok(seen);
  assert.ok(seen.response.payload.body.equals(Buffer.alloc(314159)));
  return seen;
}

function checkEcho({ initial, status }) {
  assert.deepStrictEqual(initial.get(INITIAL[0]), [INITIAL[1]]);
  assert.deepStrictEqual(status.metadata.get(TRAILING[0]), [TRAILING[1]]);
}

function echoMetadata() {
  const metadata = new grpc.Metadata();
  metadata.set(...INITIAL);
  metadata.set(...TRAILING);
  return metadata;
}

async function soak(stubOf) {
  const deadline = new Date(Date.now() + 1000 * Number(options.soak_overall_timeout_seconds || 30));
  for (let iteration = 0; iteration < Number(options.soak_iterations || 100); iteration++) {
    await checkLarge(stubOf(), large(), { deadline });
  }
}

const cases = {
  async empty_unary(stub) { ok(await unary(stub, 'EmptyCall', {})); },
  async large_unary(stub) { await checkLarge(stub); },
  async client_compressed_unary(stub) {
    const probe = large({ expect_compressed: { value: true } });
    const seen = await unary(stub, 'UnaryCall', probe);
    assert.strictEqual(seen.status.code, grpc.status.INVALID_ARGUMENT);
    const gzip = connect('TestService', { 'grpc.default_compression_algorithm': GZIP });
    await checkLarge(gzip, probe);
    await checkLarge(stub, large({ expect_compressed: { value: false } }));
    gzip.close();
  },
  async client_streaming(stub) {
    const { error, response } = await streamUp(stub, REQUEST_SIZES.map((size) => [{ payload: zeros(size) }]));
    assert.ifError(error);
    assert.strictEqual(response.aggregated_payload_size, 74922);
  },
  async client_compressed_streaming(stub) {
    const probe = { payload: zeros(27182), expect_compressed: { value: true } };
    const { error } = await streamUp(stub, [[probe]]);
    assert.strictEqual(error.code, grpc.status.INVALID_ARGUMENT);
    const gzip = connect('TestService', { 'grpc.default_compression_algorithm': GZIP });
    const plain = { payload: zeros(45904), expect_compressed: { value: false } };
    const seen = await streamUp(gzip, [[probe], [plain, NO_COMPRESS]]);
    assert.ifError(seen.error);
    assert.strictEqual(seen.response.aggregated_payload_size, 73086);
    gzip.close();
  },
  async server_streaming(stub) {
    const request = { response_parameters: RESPONSE_SIZES.map((size) => ({ size })) };
    const seen = await finished(stub.StreamingOutputCall(request));
    ok(seen);
    assert.deepStrictEqual(sizes(seen.responses), RESPONSE_SIZES);
  },
  async ping_pong(stub) {
    const call = stub.FullDuplexCall();
    const request = (i) => ({ response_parameters: [{ size: RESPONSE_SIZES[i] }], payload: zeros(REQUEST_SIZES[i]) });
    const send = (i) => call.write(request(i));
    const seen = finished(call, (_, i) => (i + 1 < REQUEST_SIZES.length ? send(i + 1) : call.end()));
    send(0);
    ok(await seen);
    assert.deepStrictEqual(sizes((await seen).responses), RESPONSE_SIZES);
  },
  async empty_stream(stub) {
    const call = stub.FullDuplexCall();
    call.end();
    const seen = await finished(call);
    ok(seen);
    assert.strictEqual(seen.responses.length, 0);
  },
  async custom_metadata(stub) {
    checkEcho(await checkLarge(stub, large(), { metadata: echoMetadata() }));
    const call = stub.FullDuplexCall(echoMetadata());
    call.write({ response_parameters: [{ size: 314159 }], payload: zeros(271828) });
    call.end();
    const seen = await finished(call);
    ok(seen);
    assert.deepStrictEqual(sizes(seen.responses), [314159]);
    checkEcho(seen);
  },
  async status_code_and_message(stub) {
    const request = { response_status: { code: 2, message: 'test status message' } };
    const call = stub.FullDuplexCall();
    const stream = finished(call);
    call.write(request);
    call.end();
    for (const { status } of [await unary(stub, 'UnaryCall', request), await stream]) {
      assert.strictEqual(status.code, 2);
      assert.strictEqual(status.details, 'test status message');
    }
  },
  async special_status_message(stub) {
    const { status } = await unary(stub, 'UnaryCall', { response_status: { code: 2, message: SPECIAL } });
    assert.strictEqual(status.code, 2);
    assert.strictEqual(status.details, SPECIAL);
  },
  async unimplemented_method(stub) {
    const { status } = await unary(stub, 'UnimplementedCall', {});
    assert.strictEqual(status.code, grpc.status.UNIMPLEMENTED);
  },
  async unimplemented_service() {
    const other = connect('UnimplementedService');
    const { status } = await unary(other, 'UnimplementedCall', {});
    assert.strictEqual(status.code, grpc.status.UNIMPLEMENTED);
    other.close();
  },
  async cancel_after_begin(stub) {
    const error = await new Promise((resolve) => { stub.StreamingInputCall(resolve).cancel(); });
    assert.strictEqual(error.code, grpc.status.CANCELLED);
  },
  async cancel_after_first_response(stub) {
    const call = stub.FullDuplexCall();
    const seen = finished(call, () => call.cancel());
    call.write({ response_parameters: [{ size: 31415 }], payload: zeros(27182) });
    const { status, responses } = await seen;
    assert.strictEqual(status.code, grpc.status.CANCELLED);
    assert.deepStrictEqual(sizes(responses), [31415]);
  },
  async timeout_on_sleeping_server(stub) {
    const call = stub.FullDuplexCall(new grpc.Metadata(), { deadline: new Date(Date.now() + 1) });
    const seen = finished(call);
    call.write({ payload: zeros(27182) });
    assert.strictEqual((await seen).status.code, grpc.status.DEADLINE_EXCEEDED);
  },
  async rpc_soak(stub) { await soak(() => stub); },
  async channel_soak() {
    let stub;
    await soak(() => {
      if (stub) stub.close();
      stub = connect('TestService', { 'grpc.use_local_subchannel_pool': 1 });
      return stub;
    });
    stub.close();
  },
};

const stub = connect();
cases[options.test_case](stub).then(
  () => { console.log(`${options.test_case} passed`); process.exit(0); },
  (error) => { console.error(error); process.exit(1); });
