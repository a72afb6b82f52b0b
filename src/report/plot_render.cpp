// A plot as a gnuplot script, and the process that draws it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/names.h"
#include "report/plot.h"

extern char** environ;

namespace simmim {
namespace {

// Okabe and Ito's colours, which the colour-blind can tell apart; more lines than these take steps of viridis.
constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
constexpr const char* kViridis[] = {"#440154", "#482878", "#3e4a89", "#31688e", "#26828e",
                                    "#1f9e89", "#35b779", "#6dcd59", "#b4de2c"};

std::string color_of(size_t line, size_t lines) {
  if (lines <= std::size(kColors)) return kColors[line];
  const double place =
      static_cast<double>(line) * static_cast<double>(std::size(kViridis) - 1) / static_cast<double>(lines - 1);
  const size_t low = std::min(static_cast<size_t>(place), std::size(kViridis) - 2);
  const auto channel = [&](int which) {
    const auto part = [&](size_t i) {
      return static_cast<double>(
          std::stoi(std::string(kViridis[i]).substr(1 + 2 * static_cast<size_t>(which), 2), nullptr, 16));
    };
    return static_cast<int>(std::lround(part(low) + (place - static_cast<double>(low)) * (part(low + 1) - part(low))));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2));
}

// A text as a gnuplot expression. Single quotes, because between double ones gnuplot would run what stands in `...`.
std::string quoted(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n')) {
    std::string out;
    for (const char c : line) out += c == '\'' ? std::string("''") : std::string(1, c);
    lines.push_back("'" + out + "'");
  }
  return join(lines, ".\"\\n\".");
}

std::string number(double value) { return fmt::format("{:.10g}", value); }

bool has_spread(const Curve& curve) {
  return std::any_of(curve.points.begin(), curve.points.end(), [](const PlotPoint& p) { return p.spread > 0; });
}

// The title, the subtitle and what bars and bands mean, broken into lines that fit the picture's width.
std::string title_of(const Plot& plot, int width) {
  const size_t most = static_cast<size_t>(width / 9);  // a character is about eight points wide
  std::string text = plot.title, under = plot.subtitle;
  if (std::any_of(plot.curves.begin(), plot.curves.end(), has_spread))
    under += fmt::format("\n{}: ± one standard deviation over seeds", plot.bars ? "bars" : "bands");
  for (const std::string& paragraph : split(under, '\n')) {
    std::string line;
    for (const std::string& word : split(paragraph, ' ')) {
      if (!line.empty() && line.size() + 1 + word.size() > most) text += "\n" + std::exchange(line, "");
      line += (line.empty() ? "" : " ") + word;
    }
    if (!line.empty()) text += "\n" + line;
  }
  return text;
}

std::string header(const Plot& plot, const std::string& format, const fs::path& output, int width, int height) {
  const auto terminal = [&](const std::string& name, const std::string& size, int points) {
    return fmt::format("set terminal {} noenhanced size {} font \"DejaVu Sans,{}\"", name, size, points);
  };
  std::string script =
      format == "png" ? terminal("pngcairo", fmt::format("{},{}", 2 * width, 2 * height), 18) + " linewidth 2\n"
      : format == "pdf"
          ? terminal("pdfcairo", fmt::format("{:.2f}in,{:.2f}in", width / 100.0, height / 100.0), 10) + "\n"
          : terminal("svg", fmt::format("{},{} dynamic", width, height), 13) + " background \"white\"\n";
  script += "set output " + quoted(output.string()) + "\nset encoding utf8\n";
  script += "set title " + quoted(title_of(plot, width)) + " offset 0,0.3\n";
  script += "set xlabel " + quoted(plot.x_label) + "\nset ylabel " + quoted(plot.y_label) + "\n";
  script += "set border 3 lc rgb '#555555'\nset tics nomirror out scale 0.6 textcolor rgb '#333333'\n";
  return script;
}

std::string ticks(const char* axis, const std::vector<std::string>& labels) {
  std::vector<std::string> places;
  for (size_t i = 0; i < labels.size(); ++i) places.push_back(fmt::format("{} {}", quoted(labels[i]), i));
  return fmt::format("set {}tics ({})\n", axis, join(places, ", "));
}

// Few lines: in the corner that the curves leave free (they fall or rise to the right); else beside the picture.
std::string legend(const Plot& plot) {
  const std::string style = " right Left reverse spacing 1.2 samplen 1.5 ";
  if (plot.curves.size() == 1 && plot.curves[0].label.empty()) return "unset key\n";
  if (plot.curves.size() > 4 || plot.bars) return "set key outside top" + style + "\n";
  double change = 0;
  for (const Curve& curve : plot.curves)
    if (!curve.points.empty()) change += curve.points.back().y - curve.points.front().y;
  return std::string("set key ") + (change > 0 ? "bottom" : "top") + style + "opaque box lc rgb '#d9d9d9'\n";
}

std::string curves_script(const Plot& plot) {
  const bool cells = plot.bars && plot.ticks.empty();  // points at numbers, which stand free of the frame
  std::string script = "set grid lt 1 lc rgb '#e2e2e2' lw 0.7\n";
  std::vector<std::string> spreads, lines;
  if (!cells) script += "set autoscale xfix\n";
  script += legend(plot);
  if (!plot.ticks.empty())
    script +=
        ticks("x", plot.ticks) + fmt::format("set xrange [-0.3:{}]\n", static_cast<double>(plot.ticks.size()) - 0.7);
  script += cells ? "set offsets graph 0.05, graph 0.05, graph 0.06, graph 0.04\n"
                  : "set offsets graph 0, 0, graph 0.06, graph 0.04\n";
  for (size_t i = 0; i < plot.curves.size(); ++i) {
    script += fmt::format("$curve{} << END\n", i);
    for (const PlotPoint& point : plot.curves[i].points)
      script += fmt::format("{} {} {}\n", number(point.x), number(point.y), number(point.spread));
    script += "END\n";
  }
  for (size_t i = 0; i < plot.curves.size(); ++i) {
    const Curve& curve = plot.curves[i];
    const std::string color = color_of(i, plot.curves.size());
    const bool spread = has_spread(curve);
    // At a tick the points of all lines stand side by side, so that no bar hides another.
    const double middle = static_cast<double>(plot.curves.size() - 1) / 2;
    const std::string x =
        plot.ticks.empty() ? "1" : fmt::format("($1+{})", number((static_cast<double>(i) - middle) * 0.03));
    if (spread && !plot.bars)
      spreads.push_back(fmt::format(
          "$curve{} using {}:($2-$3):($2+$3) with filledcurves fs transparent solid 0.18 noborder lc rgb '{}' notitle",
          i, x, color));
    else if (spread)
      spreads.push_back(
          fmt::format("$curve{} using {}:2:3 with yerrorbars pt -1 lw 1.4 lc rgb '{}' notitle", i, x, color));
    lines.push_back(fmt::format("$curve{} using {}:2 with {} lw 2 {}lc rgb '{}' title {}", i, x,
                                plot.scattered ? "points"
                                : plot.markers ? "linespoints"
                                               : "lines",
                                plot.markers ? "pt 7 ps 0.8 " : "", color, quoted(curve.label)));
  }
  spreads.insert(spreads.end(), lines.begin(), lines.end());  // no band covers a line
  return script + "plot " + join(spreads, ", ") + "\n";
}

std::string heat_script(const Plot& plot) {
  double low = INFINITY, high = -INFINITY;
  for (const HeatCell& cell : plot.cells) low = std::min(low, cell.value), high = std::max(high, cell.value);
  if (low == high) low -= 0.5, high += 0.5;
  std::string script = "unset key\nunset border\nset tics scale 0\n";
  std::vector<std::string> colors;
  for (size_t i = 0; i < std::size(kViridis); ++i) {
    const size_t from = plot.larger_is_better ? i : std::size(kViridis) - 1 - i;
    colors.push_back(fmt::format(
        "{} '{}'", number(static_cast<double>(i) / static_cast<double>(std::size(kViridis) - 1)), kViridis[from]));
  }
  script += "set palette defined (" + join(colors, ", ") + ")\n";
  script += fmt::format("set cbrange [{}:{}]\nset colorbox\n", number(low), number(high));
  script += ticks("x", plot.columns) + ticks("y", plot.rows);
  script += fmt::format("set xrange [-0.5:{}]\nset yrange [{}:-0.5]\n", static_cast<double>(plot.columns.size()) - 0.5,
                        static_cast<double>(plot.rows.size()) - 0.5);
  std::string boxes = "$boxes << END\n", dark = "$dark << END\n", bright = "$bright << END\n";
  bool any_dark = false, any_bright = false;
  for (const HeatCell& cell : plot.cells) {
    boxes += fmt::format("{} {} {}\n", cell.column, cell.row, number(cell.value));
    const double share = (cell.value - low) / (high - low);
    const bool light_ground = (plot.larger_is_better ? share : 1 - share) > 0.6;
    (light_ground ? dark : bright) +=
        fmt::format("{} {} \"{}\"\n", cell.column, cell.row, cell.text + (cell.bold ? " *" : ""));
    (light_ground ? any_dark : any_bright) = true;
  }
  script += boxes + "END\n" + dark + "END\n" + bright + "END\n";
  std::string draw = "$boxes using 1:2:(0.485):(0.485):3 with boxxyerror fs solid 1 noborder lc palette";
  if (any_dark) draw += ", $dark using 1:2:3 with labels textcolor rgb '#000000'";
  if (any_bright) draw += ", $bright using 1:2:3 with labels textcolor rgb '#ffffff'";
  return script + "plot " + draw + "\n";
}

// Runs gnuplot on a script file; its words go to `messages`. False if it cannot be started.
bool run_gnuplot(const fs::path& script, const fs::path& messages, int& status) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const std::string path = script.string();
  char* const arguments[] = {const_cast<char*>("gnuplot"), const_cast<char*>("-d"), const_cast<char*>(path.c_str()),
                             nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, "gnuplot", &files, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return false;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

std::string csv_of(const Plot& plot) {
  if (!plot.cells.empty()) {
    std::string out = csv_line({plot.y_label, plot.x_label, "mean", "text"});
    for (const HeatCell& cell : plot.cells)
      out += csv_line({plot.rows[cell.row], plot.columns[cell.column], number_text(cell.value), cell.text});
    return out;
  }
  std::string out = csv_line({"curve", plot.x_label, plot.y_label, "std"});
  for (const Curve& curve : plot.curves)
    for (const PlotPoint& point : curve.points)
      out +=
          csv_line({curve.label, plot.ticks.empty() ? number_text(point.x) : plot.ticks[static_cast<size_t>(point.x)],
                    number_text(point.y), number_text(point.spread)});
  return out;
}

struct Folder {
  fs::path path;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

}  // namespace

std::string render_plot(const Plot& plot, const std::string& format) {
  if (format == "csv") return csv_of(plot);
  const bool heat = !plot.cells.empty();
  const int width = heat ? std::clamp(240 + 150 * static_cast<int>(plot.columns.size()), 640, 1400) : 860;
  const std::string title = title_of(plot, width);
  const int lines = static_cast<int>(std::count(title.begin(), title.end(), '\n'));
  const int height = (heat ? std::clamp(150 + 70 * static_cast<int>(plot.rows.size()), 300, 1000) : 520) + 18 * lines;
  std::string name = (fs::temp_directory_path() / "simmim-plot-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    fail(Code::data, "{}: cannot make a temporary folder; set TMPDIR to one that can be written to", name);
  const Folder folder{name};
  const fs::path output = folder.path / "picture", script = folder.path / "script", messages = folder.path / "messages";
  write_file_atomically(script,
                        header(plot, format, output, width, height) + (heat ? heat_script(plot) : curves_script(plot)));
  int status = 0;
  if (!run_gnuplot(script, messages, status))
    fail(Code::usage,
         "plot: pictures are drawn by gnuplot, which is not installed; `apt-get install gnuplot-nox`, or -o FILE.csv "
         "for the numbers");
  std::error_code missing;
  if (status != 0 || !fs::exists(output, missing) || fs::file_size(output, missing) == 0)
    fail(Code::run_failed, "plot: gnuplot could not draw this: {}", trim(read_file(messages)));
  return read_file(output);
}

}  // namespace simmim
