// The sum of a journal's lines while they are typed, per currency. The server adds up for itself.
(() => {
  const form = document.querySelector("form[data-exponents]");
  const out = document.getElementById("sums");
  if (!form || !out) return;
  const exponents = JSON.parse(form.dataset.exponents);
  const shape = /^([-−+]?)(\d{1,19})(?:\.(\d{1,3}))?$/;

  const minor = (text, exponent) => {
    const found = shape.exec(text.trim());
    if (!found || (found[3] || "").length > exponent) return null;
    const whole = BigInt(found[2] + (found[3] || "").padEnd(exponent, "0"));
    return found[1] && found[1] !== "+" ? -whole : whole;
  };
  const spelled = (total, exponent, currency) => {
    const digits = (total < 0n ? -total : total).toString().padStart(exponent + 1, "0");
    const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ",");
    const part = exponent ? "." + digits.slice(-exponent) : "";
    return `${total < 0n ? "-" : ""}${whole}${part} ${currency}`;
  };
  const show = () => {
    const sums = new Map();
    for (const row of form.querySelectorAll(".cs-lines tbody tr")) {
      const [account, amount] = row.querySelectorAll("input");
      const currency = account.value.trim().split(" ").pop();
      if (!(currency in exponents) || !amount.value.trim()) continue;
      const read = minor(amount.value, exponents[currency]);
      amount.setAttribute("aria-invalid", read === null);
      if (read !== null) sums.set(currency, (sums.get(currency) || 0n) + read);
    }
    out.value = [...sums]
      .map(([currency, total]) => {
        const text = spelled(total, exponents[currency], currency);
        return total ? `${text} is left over` : `${text}, balanced`;
      })
      .join("; ") || "Nothing yet";
  };
  form.addEventListener("input", show);
  show();
})();
