// On the page of something that is under way, look again every two seconds: what moved is shown in its place, and once
// it stands elsewhere, or is over, the whole page is shown anew. `data-live` says where it stands; empty where it is over.
(() => {
  const SECONDS = 2;
  const TIMES_MAX = 300;
  const UNDER_WAY = '[data-live]:not([data-live=""])';
  const look = async (shown, times) => {
    const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    if (answer?.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector(UNDER_WAY);
      if (now?.dataset.live !== shown.dataset.live) return location.reload();
      shown.innerHTML = now.innerHTML;
    }
    if (times < TIMES_MAX) setTimeout(look, SECONDS * 1000, shown, times + 1);
  };
  addEventListener("DOMContentLoaded", () => {
    const shown = document.querySelectorAll(UNDER_WAY);
    if (shown.length !== 1) return; // a list has many, and stands still
    shown[0].setAttribute("role", "status");
    setTimeout(look, SECONDS * 1000, shown[0], 1);
  });
})();
