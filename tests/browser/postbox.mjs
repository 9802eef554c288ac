// A mail server that keeps what it is told.
import { createServer } from 'node:net';

function unquote(text) {
	const bytes = text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
	return Buffer.from(bytes, 'latin1').toString('utf8');
}

function decode(data) {
	if (/^content-transfer-encoding: *base64/im.test(data)) {
		return data.replace(/\r?\n\r?\n([A-Za-z0-9+/=\r\n]+)/g, (_, body) => `\n\n${Buffer.from(body, 'base64').toString('utf8')}`);
	}
	return unquote(data);
}

export class Postbox {
	mails = [];

	async open() {
		this.server = createServer((socket) => this.converse(socket));
		await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
		return this.server.address().port;
	}

	close() {
		this.server.close();
	}

	converse(socket) {
		let buffer = '';
		let to = '';
		let data = null;
		const say = (line) => socket.write(`${line}\r\n`);
		socket.on('error', () => {});
		say('220 mail.example.com');
		socket.on('data', (chunk) => {
			buffer += chunk.toString('latin1');
			for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
				const line = buffer.slice(0, end);
				buffer = buffer.slice(end + 2);
				if (data !== null) {
					if (line === '.') {
						this.mails.push({ to, text: decode(data.join('\n')) });
						data = null;
						say('250 kept');
					} else {
						data.push(line.startsWith('..') ? line.slice(1) : line);
					}
				} else if (/^RCPT TO:/i.test(line)) {
					to = line.replace(/.*<(.*)>.*/, '$1');
					say('250 yes');
				} else if (/^DATA/i.test(line)) {
					data = [];
					say('354 go on');
				} else if (/^QUIT/i.test(line)) {
					say('221 bye');
					socket.end();
				} else {
					say('250 yes');
				}
			}
		});
	}

	// The link of the newest mail to an address that has one of this kind.
	async link(address, part) {
		for (let n = 0; n < 150; n += 1) {
			const links = this.mails
				.filter((mail) => mail.to === address)
				.map((mail) => mail.text.match(/https?:\/\/[^\s"<>]+/)?.[0] ?? '')
				.filter((link) => link.includes(part));
			if (links.length > 0) return links.at(-1);
			await new Promise((done) => setTimeout(done, 100));
		}
		throw new Error(`no mail with a link to ${part} came for ${address}`);
	}
}
