import assert from 'node:assert/strict';
import * as core from '@actions/core';

function inputs() {
  assert.equal(core.getInput('text'), 'two words');
  assert.equal(core.getInput('text', { trimWhitespace: false }), '  two words ');
  assert.equal(core.getInput('With Space'), 'given');
  assert.equal(core.getInput('with-default'), 'attempt 1');
  assert.equal(core.getInput('without-default'), '');
  assert.throws(() => core.getInput('without-default', { required: true }), /required and not supplied/);
  assert.equal(core.getBooleanInput('yes'), true);
  assert.equal(core.getBooleanInput('no'), false);
  assert.throws(() => core.getBooleanInput('text'), /Core Schema/);
  assert.deepEqual(core.getMultilineInput('lines'), ['a', 'b c']);
}

function results() {
  core.setOutput('lines', 'first\nsecond 100%\n::third');
  core.setOutput('object', { a: [1, null] });
  core.exportVariable('EXPORTED', 'one\ntwo');
  core.addPath('/from/the/toolkit');
  assert.equal(process.env.EXPORTED, 'one\ntwo');
  core.saveState('kept', { at: ['main'] });
  core.saveState('lines', 'x\ny');
  assert.equal(core.getState('kept'), '');
}

function said() {
  core.setSecret('hidden-value');
  core.info('this is hidden-value');
  core.notice('look', { title: 'A title, with: signs' });
  core.warning('careful\nwith both lines', {
    file: 'src/a.js', startLine: 3, endLine: 3, startColumn: 1, endColumn: 2,
  });
  core.error(new Error('wrong'), { file: 'b,c.js' });
  core.info(`debug is ${core.isDebug()}`);
  core.debug('a detail');
}

async function main() {
  inputs();
  results();
  said();
  assert.equal(await core.group('Folded', async () => (core.info('inside'), 42)), 42);
  await core.summary.addHeading('Result').addRaw('of hidden-value', true).write();
  await core.summary.addCodeBlock('1 + 1', 'js').write();
  assert.equal(core.platform.isLinux, true);
  await assert.rejects(core.getIDToken(), /ACTIONS_ID_TOKEN_REQUEST_URL/);
}

async function post() {
  assert.deepEqual(JSON.parse(core.getState('kept')), { at: ['main'] });
  assert.equal(core.getState('lines'), 'x\ny');
  assert.equal(core.getInput('text'), 'two words');
  assert.equal(process.env.EXPORTED, 'one\ntwo');
  core.info('post has its state');
  await core.summary.addRaw('after', true).write();
}

const part = core.getState('kept') ? post : main;
part().catch(core.setFailed);
