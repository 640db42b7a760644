// Runs the floods of `test/floods` in full, with 20,000 of each, and measures what a neighbour waits meanwhile: on a machine that
// has nothing else to do. `pnpm test` runs a taste of them, and measures no time.
process.env.SALLYPORT_FLOODS = 'full';
process.argv.push('test/floods/', '--runInBand');
await import('./test.js');
