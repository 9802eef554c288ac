// One user's whole story, told by the real SDK: `node story.mjs URL EMAIL PASSWORD`.
// Prints one line of JSON: what the server made of it. Ends with 1 and the reason where it went wrong.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The SDK of the conformance suite, so that there is one to keep up to date.
const suite = createRequire(new URL('../conformance/package.json', import.meta.url));
const sdk = await import(pathToFileURL(suite.resolve('@directus/sdk')));
const { authentication, createDirectus, createUser, deleteUser, readMe, readUser, readUsers, rest, updateMe, updateUser } = sdk;

const [url, email, password] = process.argv.slice(2);
const roster = createDirectus(url).with(authentication('json', { autoRefresh: false })).with(rest());
const told = {};

/** The code of the refusal that something ends in. */
const refusal = async (promise) => {
	const error = await promise.then(() => null, (error) => error);
	return error?.errors?.[0]?.extensions?.code ?? 'none';
};

try {
	await roster.login({ email, password });
	told.me = (await roster.request(readMe({ fields: ['email'] }))).email;

	const grace = await roster.request(
		createUser({ email: 'grace@example.com', password: 'Correct-Horse-9', first_name: 'Grace', last_name: 'Hopper' }),
	);
	told.slug = grace.title;
	told.masked = grace.password;
	told.reserved = await refusal(roster.request(createUser({ email: 'root@example.com', first_name: 'Root' })));
	told.taken = await refusal(roster.request(createUser({ email: 'GRACE@example.com' })));

	const found = await roster.request(
		readUsers({ fields: ['id', 'last_name'], filter: { email: { _eq: 'grace@example.com' } }, sort: ['-last_name'], limit: 5 }),
	);
	told.found = found.map((user) => user.last_name);
	told.updated = (await roster.request(updateUser(grace.id, { location: 'Arlington' }, { fields: ['location'] }))).location;

	// Grace herself: no rights of her own, but a session that can be refreshed and ended.
	const hers = createDirectus(url).with(authentication('json', { autoRefresh: false })).with(rest());
	await hers.login({ email: 'grace@example.com', password: 'Correct-Horse-9' });
	told.hers = Object.keys(await hers.request(readMe()));
	told.may_not = await refusal(hers.request(updateMe({ title: 'Admiral' })));
	await hers.refresh();
	told.refreshed = (await hers.request(readMe())).id === grace.id;
	const token = await hers.getToken();
	await hers.logout();
	hers.setToken(token);
	told.ended = await refusal(hers.request(readMe()));

	await roster.request(deleteUser(grace.id));
	told.gone = await refusal(roster.request(readUser(grace.id)));
	console.log(JSON.stringify(told));
} catch (error) {
	console.error(error?.errors ? JSON.stringify(error.errors) : error);
	process.exitCode = 1;
}
