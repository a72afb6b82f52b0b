#include "report/page.h"

#include <cstdint>

namespace simmim {
namespace {

// The policy keeps a page that somebody else wrote into from asking for anything.
constexpr const char* kHead = R"html(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<style>
:root{--ink:#1d1f23;--soft:#5b616b;--line:#d9dce1;--ground:#fff;--field:#f4f5f7}
@media (prefers-color-scheme:dark){:root{--ink:#e4e6ea;--soft:#a3a9b4;--line:#3b4048;--ground:#16181c;--field:#22252b}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:var(--ink);background:var(--ground);overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p,li,figcaption{color:var(--soft)}
a{color:inherit}ul{padding-left:1.2rem}
.scroll{overflow-x:auto;margin:.5rem 0 1.2rem}
table{border-collapse:collapse;overflow-wrap:normal}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{border-bottom:2px solid var(--soft)}td{white-space:nowrap}
.r{text-align:right;font-variant-numeric:tabular-nums}
pre{background:var(--field);padding:.8rem;overflow-x:auto;font-size:.85rem;border-radius:4px}
code{font-family:ui-monospace,monospace}
figure{margin:1rem 0}.sheets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:1rem}
.sheets figure{margin:0}
img,svg{display:block;max-width:100%;height:auto;background:#fff;border-radius:4px}svg{width:100%;max-width:56rem}
@media (max-width:40rem){figure{overflow-x:auto}figure>svg{min-width:40rem}}
summary{cursor:pointer}
</style>
)html";

}  // namespace

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>" + html_text(title) + "</title>\n" + kHead +
         "</head>\n<body>\n" + body + "</body>\n</html>\n";
}

std::string data_uri(const std::string& type, const std::string& bytes) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out = "data:" + type + ";base64,";
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : digits[three >> (18 - 6 * k) & 63];
  }
  return out;
}

std::string inline_svg(const std::string& svg, const std::string& id) {
  const size_t start = svg.find("<svg");
  std::string body = start == std::string::npos ? "" : svg.substr(start);
  for (const std::string before : {"id='", "id=\"", "href='#", "url(#"})
    for (size_t at = 0; (at = body.find(before, at)) != std::string::npos;) body.insert(at += before.size(), id + "-");
  return body;
}

}  // namespace simmim
