// The binary that users run, on a port of its own.
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery' };

async function freePort() {
	const probe = createServer();
	await new Promise((done) => probe.listen(0, '127.0.0.1', done));
	const { port } = probe.address();
	await new Promise((done) => probe.close(done));
	return port;
}

export class Server {
	async start(bin, url, smtp, folder) {
		const port = await freePort();
		this.base = `http://127.0.0.1:${port}`;
		this.log = join(folder, 'server.log');
		const config = join(folder, 'roster.toml');
		writeFileSync(
			config,
			`[server]
bind = "127.0.0.1:${port}"
public_url = "${this.base}"
[database]
url = "${url}"
[auth]
secret = "a secret for tests and for nothing but tests"
login_stall = "10ms"
register_stall = "10ms"
[auth.password]
memory = "64KiB"
iterations = 1
[admin]
email = "${ADMIN.email}"
password = "${ADMIN.password}"
[rate_limit]
enabled = false
[mail]
mailer = "smtp"
[plugins.smtp]
source = "builtin"
config = { url = "smtp://127.0.0.1:${smtp}?tls=none" }
`,
		);
		this.process = spawn(bin, ['serve', '--config', config], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
		const log = createWriteStream(this.log);
		this.process.stdout.pipe(log);
		this.process.stderr.pipe(log);
		for (let n = 0; n < 300; n += 1) {
			if (this.process.exitCode !== null) throw new Error(`the server ended at start:\n${readFileSync(this.log, 'utf8')}`);
			const pong = await fetch(`${this.base}/server/ping`).catch(() => null);
			if (pong?.ok) return;
			await new Promise((done) => setTimeout(done, 100));
		}
		throw new Error('the server does not answer');
	}

	// What the log says, for a look at what must not be in it.
	said() {
		return readFileSync(this.log, 'utf8');
	}

	async ask(method, path, body, token) {
		const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
		const answer = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) });
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
		return text ? JSON.parse(text).data : null;
	}

	async stop() {
		if (!this.process || this.process.exitCode !== null) return;
		const ended = new Promise((done) => this.process.once('exit', done));
		this.process.kill('SIGTERM');
		await ended;
	}
}
