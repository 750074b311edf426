// A worker that takes a piece of work whenever it may, and prints a line at each change of its state.
//
// DATABASE_URL, ZDM_MANIFEST (a file; default zdm-manifest), APP_VERSION
'use strict';

const fs = require('node:fs');
const { Lease } = require('./zdm-lease.js');

// Here the database would be used: statements that take no longer than the lease's margin, 5 s of a minute.
function work() {}

function shown(lease) {
  if (lease.state === 'stopped') return [`stopped: ${lease.reason}`];
  if (lease.state !== 'serving') return [lease.state];
  const structures = [...lease.needs.entries()].filter(([, reached]) => reached === 'expanded');
  return [
    lease.number === null ? 'serving, without a lease' : `serving, lease ${lease.number}`,
    ...structures.map(([id]) => `${id}: reads the ${lease.readsNew(id) ? 'new' : 'old'} structure`),
  ];
}

const manifest = fs.readFileSync(process.env.ZDM_MANIFEST ?? 'zdm-manifest', 'utf8');
const lease = new Lease(process.env.DATABASE_URL, manifest, { version: process.env.APP_VERSION ?? 'unknown' });
let told = [];

function tell() {
  const lines = shown(lease);
  for (const line of lines) if (!told.includes(line)) console.log(line);
  told = lines;
}

lease.start();
tell();
const timer = setInterval(() => {
  tell();
  if (lease.ready()) work();
  if (lease.state === 'stopped') {
    clearInterval(timer);
    process.exitCode = lease.reason === 'left' ? 0 : 1;
  }
}, 20);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await lease.leave();
    tell();
    process.exit(lease.reason === 'left' ? 0 : 1);
  });
}
