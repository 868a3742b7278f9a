// The interoperability cases' test service on grpc-js. Prints its port once it listens.
// grpc-js does not show a handler whether a request was compressed, and its server does not compress: the compression
// cases need another server.
'use strict';
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const INITIAL = 'x-grpc-test-echo-initial';
const TRAILING = 'x-grpc-test-echo-trailing-bin';

const file = path.join(process.env.WEIR_TESTING_PROTO, 'testing.proto');
const testing = grpc.loadPackageDefinition(loader.loadSync(file, { keepCase: true, defaults: true })).grpc.testing;

function copied(metadata, key) {
  const copy = new grpc.Metadata();
  for (const value of metadata.get(key)) copy.add(key, value);
  return copy;
}

const failing = (request) => request.response_status && request.response_status.code !== 0;
const status = ({ response_status: { code, message } }, metadata) => ({ code, details: message, metadata });

async function respond(call, request) {
  for (const parameters of request.response_parameters) {
    if (parameters.interval_us) await new Promise((resolve) => setTimeout(resolve, parameters.interval_us / 1000));
    call.write({ payload: { body: Buffer.alloc(parameters.size) } });
  }
}

const service = {
  EmptyCall(call, done) { done(null, {}); },
  UnaryCall(call, done) {
    const { request, metadata } = call;
    const trailing = copied(metadata, TRAILING);
    call.sendMetadata(copied(metadata, INITIAL));
    if (failing(request)) return done(status(request, trailing));
    return done(null, { payload: { body: Buffer.alloc(request.response_size) } }, trailing);
  },
  async StreamingOutputCall(call) {
    await respond(call, call.request);
    call.end();
  },
  StreamingInputCall(call, done) {
    let sum = 0;
    call.on('data', (request) => { sum += request.payload ? request.payload.body.length : 0; });
    call.on('end', () => done(null, { aggregated_payload_size: sum }));
  },
  FullDuplexCall(call) {
    const trailing = copied(call.metadata, TRAILING);
    let work = Promise.resolve();
    call.sendMetadata(copied(call.metadata, INITIAL));
    call.on('data', (request) => {
      if (failing(request)) call.emit('error', status(request, trailing));
      else work = work.then(() => respond(call, request));
    });
    call.on('end', () => work.then(() => call.end(trailing)));
  },
};

const server = new grpc.Server();
server.addService(testing.TestService.service, service);
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on ${port}`);
});
process.on('SIGTERM', () => process.exit(0));
