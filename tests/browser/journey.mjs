// Invited, in, out, a second factor, a new password: everything that the pages are for, by clicks and keys. The pages have no
// scripts, nor may they. Each is checked with axe-core in light and dark; an error on the console fails the journey.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Postbox } from './postbox.mjs';
import { ADMIN, Server } from './server.mjs';

const [bin, executablePath, url, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const EVE = 'eve@example.com';
const FIRST = 'wheel under water 7';
const SECOND = 'lamp above the door 3';
const PATIENCE = 15_000;

// RFC 6238: SHA-1, 30 seconds, six digits.
function code(secret, offset = 0) {
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + offset));
	const hash = createHmac('sha1', key).update(counter).digest();
	const at = hash[19] & 15;
	return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const postbox = new Postbox();
const server = new Server();
let browser;
let page;
let visited = 0;
let expected = null;
const told = [];

function watch(one) {
	one.on('console', (message) => {
		if (message.type() === 'error' && !expected?.test(message.text())) told.push(message.text());
	});
	one.on('pageerror', (error) => told.push(String(error)));
	one.on('requestfailed', (request) => told.push(`${request.url()}: ${request.failure()?.errorText}`));
}

// Where we are now: the heading is this, nothing is on the console, axe has nothing to say.
async function arrived(heading, status = 200) {
	await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
	if (status !== 200) {
		// The one thing that a browser says of a page that is a refusal.
		const at = told.findIndex((text) => text.includes(`status of ${status}`));
		assert.ok(at >= 0, `${heading}: expected ${status}, got ${told.join('; ')}`);
		told.splice(at, 1);
	}
	assert.deepEqual(told, [], `${heading}: the console says`);
	for (const colorScheme of ['light', 'dark']) {
		await page.emulateMedia({ colorScheme });
		const { violations } = await page.evaluate(
			`(() => { ${axe}; return axe.run(document, { preload: false }); })()`,
		);
		const serious = violations.filter((one) => ['serious', 'critical'].includes(one.impact));
		const words = serious.map((one) => `${one.id}: ${one.help}\n${one.nodes.map((node) => node.html).join('\n')}`);
		assert.deepEqual(words, [], `${heading}, ${colorScheme}: axe says`);
	}
	assert.match(await page.title(), /\S · Roster$/);
	visited += 1;
	console.log(`  ${String(status)} ${heading}`);
}

const fill = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const follow = (name) => page.getByRole('link', { name, exact: true }).click();

async function logIn(password) {
	await page.goto(`${server.base}/admin/login`);
	await fill('E-mail', EVE);
	await fill('Password', password);
	await press('Log in');
}

async function invited() {
	const { access_token: token } = await server.ask('POST', '/auth/login', ADMIN);
	const role = await server.ask('POST', '/roles', { name: 'Readers' }, token);
	await server.ask('POST', '/users/invite', { email: EVE, role: role.id }, token);
	const link = await postbox.link(EVE, '/admin/accept-invite');
	await page.goto(link);
	await arrived('Accept the invitation');
	await fill('New password', 'password1');
	await press('Accept');
	await arrived('Accept the invitation', 400);
	assert.equal(await page.getByLabel('New password').getAttribute('aria-invalid'), 'true');
	await fill('New password', FIRST);
	await press('Accept');
	await arrived('Log in');
	await page.goto(link);
	await arrived('This link does not work any more', 400);
	return token;
}

async function byKeysAlone() {
	await page.goto(`${server.base}/admin/login`);
	await page.keyboard.press('Tab');
	const focus = () =>
		page.evaluate(() => [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]);
	assert.deepEqual(await focus(), ['email', 'solid'], 'the first field has the focus, and it shows');
	await page.keyboard.type(EVE);
	await page.keyboard.press('Tab');
	await page.keyboard.type('wrong');
	await page.keyboard.press('Enter');
	await arrived('Log in', 401);
	await fill('Password', FIRST);
	await page.keyboard.press('Enter');
	await arrived('You are logged in');
}

async function secondFactor() {
	await follow('Set up a second factor');
	await arrived('Set up a second factor');
	await fill('Password', FIRST);
	await press('Go on');
	await arrived('Scan the code');
	const drawn = await page.locator('img.qr').evaluate((image) => image.complete && image.naturalWidth);
	assert.ok(drawn > 0, 'the QR code is drawn');
	const secret = await page.locator('#secret').innerText();
	await fill('Code', '000000');
	await press('Turn it on');
	await arrived('Scan the code', 400);
	assert.equal(await page.locator('#secret').innerText(), secret);
	await fill('Code', code(secret));
	await press('Turn it on');
	await arrived('Your recovery codes');
	const recovery = await page.locator('ol.codes code').allInnerTexts();
	assert.equal(recovery.length, 10);
	await follow('I have kept them');
	await arrived('You are logged in');
	await press('Log out');
	await arrived('Log in');
	await logIn(FIRST);
	await arrived('Enter your code');
	await fill('Code', 'no code');
	await press('Log in');
	await arrived('Enter your code', 401);
	// The code of this step was used up by turning it on.
	await fill('Code', code(secret, 1));
	await press('Log in');
	await arrived('You are logged in');
	await press('Log out');
	await arrived('Log in');
	return recovery;
}

async function newPassword(recovery) {
	await follow('I forgot my password');
	await arrived('Forgotten password');
	await fill('E-mail', EVE);
	await press('Mail me a link');
	await arrived('Log in');
	await page.goto(await postbox.link(EVE, '/admin/reset-password'));
	await arrived('Choose a new password');
	await fill('New password', SECOND);
	await press('Set the password');
	await arrived('Log in');
	await logIn(FIRST);
	await arrived('Log in', 401);
	await logIn(SECOND);
	await arrived('Enter your code');
	await fill('Code', recovery[0]);
	await press('Log in');
	await arrived('You are logged in');
	await fill('Password', SECOND);
	await press('Make new recovery codes');
	await arrived('Your recovery codes');
	const [other] = await page.locator('ol.codes code').allInnerTexts();
	await follow('I have kept them');
	await fill('Code', other);
	await press('Turn the second factor off');
	await arrived('You are logged in');
	await press('Log out');
	await arrived('Log in');
}

async function registered(token) {
	await page.goto(`${server.base}/admin/register`);
	await arrived('There is no such page', 404);
	await server.ask('PATCH', '/settings', { public_registration: true }, token);
	await page.goto(`${server.base}/admin/login`);
	await follow('Register');
	await arrived('Register');
	await fill('E-mail', 'ida@example.com');
	await fill('First name (optional)', 'Ida');
	await fill('New password', FIRST);
	await press('Register');
	await arrived('Log in');
	await page.goto(await postbox.link('ida@example.com', '/users/register/verify-email'));
	await arrived('Your address is verified');
	await follow('Log in');
	await arrived('Log in');
}

// Not over TLS and not on this machine: browsers then say less of where a form comes from.
async function overPlainHttp() {
	expected = /^The Cross-Origin-Opener-Policy header has been ignored/;
	const elsewhere = new URL(server.base);
	elsewhere.hostname = 'users.test';
	await page.goto(`${elsewhere.origin}/admin/login`);
	await fill('E-mail', ADMIN.email);
	await fill('Password', ADMIN.password);
	await press('Log in');
	await arrived('You are logged in');
	assert.equal(new URL(page.url()).hostname, 'users.test');
	await press('Log out');
	await arrived('Log in');
}

try {
	await server.start(bin, url, await postbox.open(), folder);
	const args = ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP users.test 127.0.0.1'];
	browser = await chromium.launch({ executablePath, args });
	const context = await browser.newContext();
	page = await context.newPage();
	page.setDefaultTimeout(PATIENCE);
	watch(page);
	const token = await invited();
	await byKeysAlone();
	const recovery = await secondFactor();
	await newPassword(recovery);
	await registered(token);
	await overPlainHttp();
	for (const secret of [FIRST, SECOND, 'token=', recovery[0]]) {
		assert.ok(!server.said().includes(secret), 'no secret is in the log');
	}
	console.log(`${visited} pages, no error on the console, no serious violation`);
} catch (error) {
	console.error(error);
	await page?.screenshot({ path: join(folder, 'failed.png'), fullPage: true }).catch(() => {});
	process.exitCode = 1;
} finally {
	await browser?.close();
	await server.stop();
	postbox.close();
}
