import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import * as tools from '@actions/tool-cache';

async function install() {
  assert.equal(tools.find('my-tool', '1.x'), '');
  const made = join(process.env.RUNNER_TEMP, 'made');
  mkdirSync(join(made, 'bin'), { recursive: true });
  writeFileSync(join(made, 'bin/my-tool'), '#!/bin/sh\necho tool 1.2.3\n', { mode: 0o755 });
  execFileSync('tar', ['czf', `${made}.tar.gz`, '-C', made, '.']);
  const extracted = await tools.extractTar(`${made}.tar.gz`);
  assert.ok(extracted.startsWith(`${process.env.RUNNER_TEMP}/`), extracted);
  return tools.cacheDir(extracted, 'my-tool', '1.2.3');
}

async function main() {
  assert.equal(process.env.RUNNER_TOOL_CACHE, '/opt/hostedtoolcache');
  const place = join(process.env.RUNNER_TOOL_CACHE, 'my-tool', '1.2.3', process.arch);
  if (core.getBooleanInput('install')) {
    assert.equal(await install(), place);
  }
  assert.equal(tools.find('my-tool', '1.x'), place);
  assert.equal(tools.find('my-tool', '2.x'), '');
  assert.deepEqual(tools.findAllVersions('my-tool'), ['1.2.3']);
  const url = core.getInput('url');
  if (url) {
    const file = await tools.downloadTool(url);
    assert.ok(file.startsWith(`${process.env.RUNNER_TEMP}/`), file);
    assert.equal(readFileSync(file, 'utf8'), 'from the server');
  }
  core.addPath(join(place, 'bin'));
}

main().catch(core.setFailed);
