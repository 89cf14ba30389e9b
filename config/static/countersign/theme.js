// The sign-in pages follow the theme chosen inside (Unfold keeps it as JSON), or the system's.
(() => {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return JSON.parse(localStorage.getItem("adminTheme")) || "auto";
    } catch {
      return "auto";
    }
  };
  const apply = () => {
    const isDark = chosen() === "dark" || (chosen() === "auto" && system.matches);
    document.documentElement.classList.toggle("dark", isDark);
  };
  system.addEventListener("change", apply);
  apply();
})();
