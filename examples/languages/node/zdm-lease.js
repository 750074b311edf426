// A lease of zdm for a Node process: what docs/applications.md asks of a client, in one file to copy.
//
//     const lease = new Lease(process.env.DATABASE_URL, fs.readFileSync('zdm-manifest', 'utf8'), { version: '42' });
//     lease.start();                     // joins and renews by timers
//     if (lease.ready()) { ... }         // before each piece of work
//     await lease.leave();               // when the last statement is done
//
// PostgreSQL by pg, MySQL and MariaDB by mysql2. Work that blocks the event loop for long costs the lease: run it in a
// worker thread, or the whole process under `zdm report`.
'use strict';

const os = require('node:os');
const { setTimeout: sleep } = require('node:timers/promises');

// All times are milliseconds.
const ASK_AGAIN = 1000; // between two questions while a gate decides, or something is missing
const FIRST_PATIENCE = 10_000; // for one call while no lease says how much time there is
const LEAVE_PATIENCE = 2000;

// A clock that goes on while the machine sleeps: on one that stops, a lease looks fresh when it is long over.
const now = () => os.uptime() * 1000;

// What is left of a lease for the work that is under way at its deadline.
const margin = (ttl) => Math.min(ttl / 12, 5000);

// How long one call may take.
const patience = (ttl) => Math.min(Math.max(ttl / 4, 500), FIRST_PATIENCE);

const between = (low, high) => low + Math.random() * (high - low);

class Lease {
  #database;
  #joinTimeout;
  #deadline = null; // on the clock of now()
  #ttl = 0;
  #failures = 0;
  #migrated = new Map(); // of those that need only be expanded: whether it is known to be migrated
  #leaving = new AbortController();
  #kept = Promise.resolve();

  constructor(url, manifest, { version, instance = `${os.hostname()}-${process.pid}`, joinTimeout = 60_000 }) {
    Object.assign(this, readManifest(manifest), { version, instance });
    this.number = null; // of the lease that is held, or was held last
    this.reason = null; // why it has stopped, for good
    this.#joinTimeout = joinTimeout;
    this.#database = openDatabase(url, `zdm:${this.service}#${instance}`.slice(0, 63));
    for (const [id, reached] of this.needs) if (reached === 'expanded') this.#migrated.set(id, false);
  }

  start() {
    const word = process.env.ZDM_APP ?? '';
    if (!['', 'on', 'off'].includes(word)) throw new Error(`ZDM_APP is "${word}": write off, or nothing`);
    if (word === 'off') {
      // For tests, and for the day on which zdm is the trouble: no gate sees this process.
      for (const id of this.#migrated.keys()) this.#migrated.set(id, true);
      this.#deadline = Infinity;
    } else {
      this.#kept = this.#keep();
    }
  }

  // joining, serving, suspended or stopped (see `reason`).
  get state() {
    if (this.reason !== null) return 'stopped';
    if (this.#deadline === null) return 'joining';
    return now() < this.#deadline ? 'serving' : 'suspended';
  }

  // Whether work may begin at this very moment.
  ready() {
    return this.state === 'serving';
  }

  // Whether a migration that is needed from its expand on is complete, so that its new structure is to be read.
  readsNew(migration) {
    if (!this.needs.has(migration)) throw new Error(`the manifest does not need ${migration}`);
    return this.#migrated.get(migration) ?? true;
  }

  // Not ready from here on; the lease ends now, or, when the database cannot be told, by itself.
  async leave() {
    this.#stop('left');
    this.#leaving.abort();
    await Promise.race([this.#kept, sleep(LEAVE_PATIENCE + 1000, undefined, { ref: false })]);
  }

  async #keep() {
    const begun = now();
    while (this.reason === null) {
      const sent = now(); // before the call: a gate waits from after its fence, so a deadline from the reply would not do
      let pause;
      let why = 'the database is not ready for this build, or a gate is still deciding';
      try {
        pause = await this.#turn(sent);
        this.#failures = 0;
      } catch (error) {
        // Whatever it was, the deadline stands.
        this.#database.close();
        why = `could not join: ${error.message}`;
        console.error(`could not keep the lease: ${error.message}`);
        this.#failures += 1;
        pause = Math.min(100 * 2 ** Math.min(this.#failures, 16), patience(this.#ttl)) * between(0.05, 1);
      }
      if (this.#deadline === null && now() > begun + this.#joinTimeout) {
        this.#stop(`after ${this.#joinTimeout / 1000} s: ${why}`);
      }
      if (this.reason === null) await sleep(pause, undefined, { signal: this.#leaving.signal }).catch(() => {});
    }
    if (this.number !== null && this.#leaving.signal.aborted) {
      try {
        await this.#call('leave_v1', [this.number], LEAVE_PATIENCE);
      } catch (error) {
        console.error(`could not leave, so the lease will expire: ${error.message}`);
      }
    }
    this.#database.close();
  }

  // One call; returns how long to wait before the next.
  async #turn(sent) {
    const limit = this.#ttl ? patience(this.#ttl) : FIRST_PATIENCE;
    let row;
    let number = this.number;
    const renews = number !== null && now() < this.#deadline;
    if (renews) {
      row = await this.#call('renew_v1', [number], limit);
    } else {
      const needs = [...this.needs].map(([id, reached]) => `${id}=${reached}`).join(',');
      const about = [this.service, this.version, this.instance, this.tolerates.join(','), needs, 'suspends'];
      row = await this.#call('join_v1', about, limit);
      number = row.lease;
    }
    switch (row.outcome) {
      case 'joined':
      case 'renewed':
        return this.#granted(sent, number, Number(row.ttl_ms), !renews, limit);
      case 'fenced':
        this.#stop(refusal(row.detail));
        return 0;
      case 'gone': // the lease was lost, say with a restored backup: join, and serve on until the deadline
        this.number = null;
        return 0;
      case 'fencing': // a gate decides: serve on until the deadline
      case 'missing': // the migration is not there yet
        return this.#ttl ? Math.min(this.#ttl / 4, ASK_AGAIN) : ASK_AGAIN;
      default:
        throw new Error(`cannot understand the answer "${row.outcome}"`);
    }
  }

  async #granted(sent, number, ttl, joined, limit) {
    // A grant counts only with the answer which structure is to be read. While the lease holds, migrated stays so.
    for (const [migration, known] of this.#migrated) {
      if (joined || !known) {
        const { reached } = await this.#call('reached_v1', [migration], limit);
        this.#migrated.set(migration, reached === 'migrated');
      }
    }
    const deadline = sent + ttl - margin(ttl);
    if (now() >= deadline) return 0; // the reply is older than what it grants
    const old = this.number;
    this.number = number;
    this.#ttl = ttl;
    this.#deadline = deadline;
    // So that nobody takes this process for two.
    if (joined && old !== null) await this.#call('leave_v1', [old], limit);
    return Math.max(0, sent + (ttl / 4) * between(0.8, 1) - now());
  }

  // A call that takes too long is given up with its connection: that is the way out when the network is silent.
  async #call(name, values, limit) {
    const late = new AbortController();
    const timeout = sleep(limit, undefined, { signal: late.signal }).then(() => {
      this.#database.close();
      throw new Error('the database did not answer in time');
    });
    try {
      return await Promise.race([this.#database.call(name, values), timeout]);
    } finally {
      timeout.catch(() => {});
      late.abort();
    }
  }

  #stop(reason) {
    this.reason ??= reason;
  }
}

function refusal(detail) {
  const [kind, migration] = detail.split('=');
  return kind === 'tolerate'
    ? `migration ${migration} has been contracted, and this build does not tolerate it: deploy a newer build`
    : `migration ${migration} has been rolled back, and this build needs it: deploy an older build`;
}

// Service, what it tolerates, what it needs, from what `zdm manifest` wrote.
function readManifest(text) {
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/));
  if (said.shift()?.join(' ') !== 'zdm-manifest 1') throw new Error('the manifest does not begin with "zdm-manifest 1"');
  let service = null;
  const tolerates = [];
  const needs = new Map();
  for (const [word, name, reached, ...rest] of said) {
    if (word === 'service' && name && !reached && service === null) service = name;
    else if (word === 'tolerates' && name && !reached) tolerates.push(name);
    else if (word === 'needs' && ['expanded', 'migrated'].includes(reached) && !rest.length) needs.set(name, reached);
    else throw new Error(`the manifest says what nobody knows: ${word} ${name ?? ''}`);
  }
  if (service === null) throw new Error('the manifest names no service');
  return { service, tolerates, needs };
}

function openDatabase(url, name) {
  const scheme = new URL(url).protocol.slice(0, -1);
  if (['postgres', 'postgresql'].includes(scheme)) return new Postgres(url, name);
  if (['mysql', 'mariadb'].includes(scheme)) return new MySql(url, name);
  throw new Error(`"${scheme}" is not a database that zdm knows`);
}

// A connection of its own, made when it is needed. Each call is one statement, which commits by itself.
class Postgres {
  #client = null;

  constructor(url, name) {
    this.config = {
      connectionString: url,
      application_name: name,
      options: '-c default_transaction_isolation=read\\ committed',
      keepAlive: true,
    };
  }

  async call(name, values) {
    if (this.#client === null) {
      const { Client } = require('pg');
      const client = new Client(this.config);
      client.on('error', () => this.#client === client && this.close()); // lost between two calls
      this.#client = client;
      await client.connect();
    }
    const marks = values.map((_, index) => `$${index + 1}`).join(', ');
    const result = name === 'reached_v1' ? `zdm.${name}(${marks}) AS reached` : `zdm.${name}(${marks})`;
    const { rows } = await this.#client.query(`SELECT * FROM ${result}`, values);
    return rows[0];
  }

  close() {
    const client = this.#client;
    this.#client = null;
    client?.connection.stream.destroy(); // without a word to a server that may not listen
  }
}

class MySql {
  #connection = null;

  constructor(url, name) {
    const { hostname, port, username, password, pathname } = new URL(url);
    this.config = {
      host: hostname,
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      connectAttributes: { program_name: name },
    };
  }

  async call(name, values) {
    if (this.#connection === null) {
      const connection = require('mysql2').createConnection(this.config);
      connection.on('error', () => this.#connection === connection && this.close()); // lost between two calls
      this.#connection = connection;
    }
    const marks = values.map(() => '?').join(', ');
    const [results] = await this.#connection.promise().query(`CALL zdm_${name}(${marks})`, values);
    return results[0][0];
  }

  close() {
    this.#connection?.destroy();
    this.#connection = null;
  }
}

module.exports = { Lease };
