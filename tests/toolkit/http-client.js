import assert from 'node:assert/strict';
import * as core from '@actions/core';
import * as cache from '@actions/cache';
import { HttpClient, HttpCodes } from '@actions/http-client';

async function main() {
  const client = new HttpClient('a test', [], { allowRetries: false });
  const response = await client.get(core.getInput('url'));
  assert.equal(response.message.statusCode, HttpCodes.OK);
  assert.equal(await response.readBody(), 'from the server');
  assert.equal(cache.isFeatureAvailable(), false);
  core.info('all of it');
}

main().catch(core.setFailed);
