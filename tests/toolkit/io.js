import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import * as io from '@actions/io';

async function main() {
  const root = join(process.env.GITHUB_WORKSPACE, 'of io');
  await io.mkdirP(join(root, 'a/b'));
  writeFileSync(join(root, 'a/b/file'), 'content');
  await io.cp(join(root, 'a'), join(root, 'copy'), { recursive: true });
  assert.equal(readFileSync(join(root, 'copy/b/file'), 'utf8'), 'content');
  await assert.rejects(io.cp(join(root, 'a'), join(root, 'again')), /recursive/);
  await io.mv(join(root, 'copy'), join(root, 'moved'));
  assert.equal(existsSync(join(root, 'copy')), false);
  assert.equal(existsSync(join(root, 'moved/b/file')), true);
  await io.rmRF(root);
  await io.rmRF(root);
  assert.equal(existsSync(root), false);
  assert.equal(await io.which('my-tool', true), `${process.env.GITHUB_WORKSPACE}/tools/my-tool`);
  assert.equal(await io.which('no-such-tool'), '');
  await assert.rejects(io.which('no-such-tool', true), /Unable to locate executable file/);
  core.info('all of io');
}

main().catch(core.setFailed);
