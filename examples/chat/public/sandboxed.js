// Runs in a frame with sandbox="allow-scripts", whose origin is opaque: it sends `Origin: null`.
const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`);
let opened = false;
socket.onopen = () => {
  opened = true;
  socket.close();
};
socket.onclose = ({ code }) => parent.postMessage({ attack: 'sandboxed', opened, code }, '*');
