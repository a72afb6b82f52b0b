// HTML pages that need nothing but themselves: no script, no network, readable on a phone and in the dark.
#pragma once
#include <string>

namespace simmim {

std::string html_text(const std::string& text);  // escaped, for elements and quoted attributes
std::string html_page(const std::string& title, const std::string& body);  // body: HTML; wide things in class="scroll"
std::string data_uri(const std::string& type, const std::string& bytes);   // "image/png"

// An SVG file as a part of a page: without its prolog, `id` in front of every name it defines, as wide as the page at
// most.
std::string inline_svg(const std::string& svg, const std::string& id);

}  // namespace simmim
