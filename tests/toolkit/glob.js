import assert from 'node:assert/strict';
import { relative } from 'node:path';
import * as core from '@actions/core';
import * as glob from '@actions/glob';

async function main() {
  const globber = await glob.create('data/**\n!data/b/**\n', { matchDirectories: false });
  const found = (await globber.glob()).map(path => relative(process.env.GITHUB_WORKSPACE, path)).sort();
  assert.deepEqual(found, ['data/a.txt', 'data/c/d.txt']);
  for (const patterns of ['data/**', '**/*.txt\n!data/b/**', 'no/such/*']) {
    core.info(`${JSON.stringify(patterns)}: '${await glob.hashFiles(patterns)}'`);
  }
}

main().catch(core.setFailed);
