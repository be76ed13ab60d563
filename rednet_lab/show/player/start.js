// Puts a player in the place of each figure of the page. Part of the script of page.py, after player.js.

async function unpack(text) {
  const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function picture(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

async function start(figure) {
  const sheet = figure.querySelector("img");
  try {
    const board = JSON.parse(figure.querySelector("script[data-rednet-board]").textContent);
    const [bytes, sprite] = await Promise.all([unpack(board.bytes), picture(board.sprite.src)]);
    const player = new Player(board, bytes, sprite).build();
    sheet.style.display = "none";
    figure.querySelectorAll(":scope > figcaption").forEach((caption) => { caption.style.display = "none"; });
    sheet.before(player);
  } catch (error) {
    sheet.before(make("p", { role: "alert", textContent: `The player could not start (${error}); its pictures:` }));
    throw error;
  }
}

const begin = () => {
  if (!document.querySelector("style[data-rednet]")) document.head.append(make("style", { "data-rednet": "", textContent: CSS }));
  document.querySelectorAll("figure[data-rednet-player]:not([data-started])").forEach((figure) => {
    figure.setAttribute("data-started", "");
    start(figure);
  });
};
// The figure is not whole while its own script runs at a page's loading, but all that is needed stands before it.
begin();
