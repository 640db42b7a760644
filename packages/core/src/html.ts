export { type LinkProtocol, type SafeHtmlOptions, safeHtml } from './sanitize/safe-html.ts';
