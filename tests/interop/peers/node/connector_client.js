// Drives a connector of ours with grpc-js and messages built from protocol/ at run time; the same phases as
// peers/python/connector_client.py, with Node's own AES and the zstd and gzip programs. Exit code 0 when all held.
//
//     connector_client.js source --address=A --config=JSON --folder=DIR --expected=FILE [--gzip=1]
//     connector_client.js destination PHASE --address=A --config=JSON --data=FILE --work=DIR [--gzip=1]
'use strict';
const assert = require('assert');
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const SCHEMA = 'interop schema';
const STRINGS = { null_string: 'null-7f3a', unmodified_string: 'unmodified-91c2' };
const SYNCED = ['2024-05-01T10:00:00.000Z', '2024-05-01T10:00:01.000Z'];
const CUT = { seconds: '1714557600', nanos: 500000000 }; // 2024-05-01T10:00:00.500Z

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const options = Object.fromEntries(process.argv.slice(2).filter((word) => word.startsWith('--'))
  .map((word) => [word.slice(2, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
const configuration = JSON.parse(options.config);

const schema = loader.loadSync(['v2_source.proto', 'v2_destination.proto'], {
  includeDirs: [process.env.WEIR_PROTOCOL], keepCase: true, longs: String, enums: String, oneofs: true, defaults: true,
});
const v2 = grpc.loadPackageDefinition(schema).fivetran_sdk.v2;

function connect(service) {
  const compression = options.gzip ? { 'grpc.default_compression_algorithm': 2 } : {};
  return new v2[service](options.address, grpc.credentials.createInsecure(), compression);
}

function ask(stub, method, request) {
  return new Promise((resolve, reject) => {
    stub[method](request, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

async function checkForm(stub) {
  const form = await ask(stub, 'ConfigurationForm', {});
  for (const field of form.fields) {
    assert.ok(field.type && field.label, `kind and label of '${field.name}'`);
    assert.ok(!field.required || field.name in configuration, `'${field.name}' is required`);
  }
  for (const { name } of form.tests) {
    const answer = await ask(stub, 'Test', { name, configuration });
    assert.deepStrictEqual(answer, { response: 'success', success: true });
  }
  return form;
}

// [member, text] of a ValueType; times as seconds with nine decimals.
function wireText(value) {
  const member = value.inner;
  const inner = value[member];
  if (inner && inner.nanos !== undefined) {
    assert.ok(inner.nanos >= 0 && inner.nanos < 1e9, 'nanos');
    return [member, `${inner.seconds}.${String(inner.nanos).padStart(9, '0')}`];
  }
  return [member, Buffer.isBuffer(inner) ? inner.toString('base64') : String(inner)];
}

function sameCell(actual, wanted) {
  if (wanted[0] === 'double' || wanted[0] === 'float') {
    return actual[0] === wanted[0] && Number(actual[1]) === Number(wanted[1]);
  }
  return actual[0] === wanted[0] && actual[1] === wanted[1];
}

async function sync(stub, state, selection) {
  const seen = { rows: {}, tables: {}, state: undefined, afterState: 0 };
  const request = { configuration };
  if (state !== undefined) request.state_json = state;
  if (selection) request.selection = selection;
  const take = (record) => {
    assert.strictEqual(record.type, 'UPSERT');
    assert.ok(record.table_name in seen.tables, `'${record.table_name}' was announced before its rows`);
    const row = Object.fromEntries(Object.entries(record.data).map(([name, value]) => [name, wireText(value)]));
    (seen.rows[record.table_name] = seen.rows[record.table_name] || []).push(row);
    seen.afterState += 1;
  };
  for await (const response of stub.Update(request)) {
    switch (response.operation) {
      case 'records':
        assert.ok(response.records.records.length > 0 && response.records.records.length <= 100, 'R-SRC-03');
        response.records.records.forEach(take);
        break;
      case 'record': take(response.record); break;
      case 'schema_change':
        for (const table of response.schema_change.without_schema.tables) {
          seen.tables[table.name] = Object.fromEntries(table.columns.map(({ name, type }) => [name, type]));
        }
        break;
      case 'checkpoint':
        JSON.parse(response.checkpoint.state_json);
        seen.state = response.checkpoint.state_json;
        seen.afterState = 0;
        break;
      default: assert.fail(`unexpected ${response.operation}`);
    }
  }
  return seen;
}

// As source-files gives it: to the microsecond.
function modifiedText(file) {
  const nanos = (fs.statSync(file, { bigint: true }).mtimeNs / 1000n) * 1000n;
  return `${nanos / 1000000000n}.${String(nanos % 1000000000n).padStart(9, '0')}`;
}

function checkTable(seen, name, { file, types, rows }) {
  assert.deepStrictEqual(seen.tables[name], types);
  assert.strictEqual(seen.rows[name].length, rows.length, `count of rows of ${file}`);
  const modified = modifiedText(path.join(options.folder, file));
  rows.forEach((cells, i) => {
    const own = { _file: ['string', file], _line: ['long', String(i + 1)], _modified: ['utc_datetime', modified] };
    const full = { ...cells, ...own };
    const row = seen.rows[name][i];
    assert.deepStrictEqual(Object.keys(row).sort(), Object.keys(full).sort());
    for (const [column, cell] of Object.entries(full)) {
      assert.ok(sameCell(row[column], cell), `${file}, row ${i + 1}, '${column}': ${row[column]} against ${cell}`);
    }
  });
}

async function driveSource() {
  const stub = connect('SourceConnector');
  const { note, ...expected } = JSON.parse(fs.readFileSync(options.expected));
  const form = await checkForm(stub);
  assert.ok(form.fields.some((field) => field.name === 'folder'));
  const bad = await ask(stub, 'Test', { name: form.tests[0].name, configuration: { folder: '/no/such/folder' } });
  assert.strictEqual(bad.response, 'failure');
  assert.strictEqual((await ask(stub, 'Schema', { configuration })).response, 'schema_response_not_supported');

  const first = await sync(stub);
  assert.deepStrictEqual(Object.keys(first.rows).sort(), Object.keys(expected).sort());
  for (const name of Object.keys(expected)) checkTable(first, name, expected[name]);
  assert.strictEqual(first.afterState, 0, 'rows after the last checkpoint');
  assert.deepStrictEqual((await sync(stub, first.state)).rows, {});
  const chosen = { without_schema: { tables: [{ included: true, table_name: 'events', include_new_columns: true }] } };
  assert.deepStrictEqual(Object.keys((await sync(stub, '{}', chosen)).rows), ['events']);
  fs.appendFileSync(path.join(options.folder, expected.cities.file), expected.cities.appended);
  expected.cities.rows.push(expected.cities.appended_row);
  const third = await sync(stub, first.state);
  assert.deepStrictEqual(Object.keys(third.rows), ['cities']);
  checkTable(third, 'cities', expected.cities);
}

// A batch file (R-BAT-01); returns its key. A cell is text, null for NULL, false for unmodified.
function writeFile(file, columns, rows, compression, encryption) {
  const text = (cell) => (cell === null ? STRINGS.null_string : cell === false ? STRINGS.unmodified_string : cell);
  const line = (cells) => `${cells.map((cell) => `"${text(cell).replace(/"/g, '""')}"`).join(',')}\n`;
  let data = Buffer.from(line(columns) + rows.map(line).join(''));
  const program = { OFF: null, ZSTD: 'zstd', GZIP: 'gzip' }[compression];
  if (program) data = execFileSync(program, ['-q', '-c'], { input: data });
  let key;
  if (encryption === 'AES') {
    const iv = crypto.randomBytes(16);
    key = crypto.randomBytes(32);
    const cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
    data = Buffer.concat([iv, cipher.update(data), cipher.final()]);
  }
  fs.writeFileSync(file, data);
  return key;
}

class Destination {
  constructor() {
    this.stub = connect('DestinationConnector');
    this.data = JSON.parse(fs.readFileSync(options.data));
    this.columns = [...this.data.columns, ...this.data.system];
    this.files = 0;
  }

  table(more = []) {
    const columns = [...this.columns, ...more].map((c) => ({
      name: c.name, type: c.type, primary_key: Boolean(c.key),
      ...(c.precision ? { params: { decimal: { precision: c.precision, scale: c.scale } } } : {}),
    }));
    return { name: this.data.table, columns };
  }

  describe() {
    return ask(this.stub, 'DescribeTable', { configuration, schema_name: SCHEMA, table_name: this.data.table });
  }

  async checkDescribed(wanted) {
    const found = await this.describe();
    assert.strictEqual(found.response, 'table');
    assert.strictEqual(found.table.name, wanted.name);
    const shape = (table) => Object.fromEntries(table.columns.map((c) => [c.name, [c.type, c.primary_key,
      c.params && c.params.decimal ? [c.params.decimal.precision, c.params.decimal.scale] : null]]));
    assert.deepStrictEqual(shape(found.table), shape(wanted));
  }

  async succeed(method, request) {
    const answer = await ask(this.stub, method, request);
    assert.strictEqual(answer.response, 'success', `${method}: ${JSON.stringify(answer)}`);
    assert.strictEqual(answer.success, true);
  }

  // lists: replace, update, delete, each a list of [columns, rows]. Sent twice: the same result (R-DST-06).
  async write(table, compression, encryption, lists) {
    const request = {
      configuration, schema_name: SCHEMA, table, keys: {}, file_params: { compression, encryption, ...STRINGS },
    };
    for (const [kind, parts] of Object.entries(lists)) {
      request[`${kind}_files`] = parts.map(([columns, rows]) => {
        const file = path.join(options.work, `${kind}-${this.files++}.csv`);
        const key = writeFile(file, columns, rows, compression, encryption);
        if (key) request.keys[file] = key;
        return file;
      });
    }
    await this.succeed('WriteBatch', request);
    await this.succeed('WriteBatch', request);
  }

  async create_phase() {
    await checkForm(this.stub);
    assert.strictEqual((await ask(this.stub, 'Capabilities', {})).batch_file_format, 'CSV');
    assert.strictEqual((await this.describe()).response, 'not_found');
    const request = { configuration, schema_name: SCHEMA, table: this.table() };
    await this.succeed('CreateTable', request);
    await this.checkDescribed(this.table());
    const again = await ask(this.stub, 'CreateTable', request).then((answer) => answer.response, () => 'error');
    assert.ok(again === 'task' || again === 'error', 'creating a table twice fails (R-DST-02)');
    await this.succeed('Truncate', {
      configuration, schema_name: SCHEMA, table_name: 'missing', synced_column: '_fivetran_synced',
      utc_delete_before: { seconds: '1', nanos: 0 },
    });
  }

  // Two files with different orders of columns; the second ends with a second row of key 1, which wins.
  async write_phase() {
    const names = this.columns.map((c) => c.name);
    const rows = this.data.rows.map((row) => [...row, SYNCED[0], 'false']);
    const stale = [rows[0][0], ...Array(names.length - 2).fill(null), 'false'];
    const backwards = [...rows.slice(3), rows[0]].map((row) => [...row].reverse());
    await this.write(this.table(), 'ZSTD', 'AES', {
      replace: [[names, [stale, ...rows.slice(1, 3)]], [[...names].reverse(), backwards]],
    });
  }

  async change_phase() {
    const { update } = this.data;
    const more = ['_fivetran_synced', '_fivetran_deleted'];
    const rows = update.rows.map((row) => [...row, SYNCED[1], false]);
    await this.write(this.table(), 'GZIP', 'AES', {
      update: [[[...update.columns, ...more], rows], [['id', ...more], [['7', SYNCED[1], 'true']]]],
    });
    await this.write(this.table(), 'OFF', 'NONE', { delete: [[this.data.delete.columns, this.data.delete.rows]] });
  }

  async alter_phase() {
    const { added } = this.data;
    const table = this.table([added.column]);
    for (let i = 0; i < 2; i++) {
      await this.succeed('AlterTable', { configuration, schema_name: SCHEMA, table });
      await this.checkDescribed(table);
    }
    const columns = ['id', added.column.name, '_fivetran_synced', '_fivetran_deleted'];
    await this.write(table, 'ZSTD', 'AES', { replace: [[columns, [[added.id, added.value, SYNCED[1], 'false']]]] });
  }

  truncate(soft) {
    return this.succeed('Truncate', {
      configuration, schema_name: SCHEMA, table_name: this.data.table, synced_column: '_fivetran_synced',
      utc_delete_before: CUT, ...(soft ? { soft: { deleted_column: '_fivetran_deleted' } } : {}),
    });
  }

  soft_phase() { return this.truncate(true); }

  hard_phase() { return this.truncate(false); }
}

const work = words[0] === 'source' ? driveSource() : new Destination()[`${words[1]}_phase`]();
work.then(() => { console.log('passed'); process.exit(0); }, (error) => { console.error(error); process.exit(1); });
