// Pictures: curves of runs, a metric against an axis of a sweep, heat maps of a sweep's table. Drawn by gnuplot
// (Debian's gnuplot-nox), a process of its own; as CSV without it.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "report/table.h"

namespace simmim {

struct PlotOptions {
  // step, epoch, images, gpu_hours (hours where a run has no GPU): curves. Of a sweep also an axis or leaf: results
  // against it; avg_dist (of its masks), gpu_hours (what a cell's chain cost; seconds on the CPU) or a number of
  // `results`: a point a cell; empty: its table as a heat map (or against its rows, if it has no columns).
  std::string x;
  std::string y;   // a key of `curves` (loss, val.top1, ...), or a value as in tables; empty: as the sweep's table says
  std::string by;  // one line a value of this key; empty: a run or cell each, or the table's columns
};

struct PlotPoint {
  double x = 0, y = 0;
  double spread = 0;      // standard deviation over seeds, 0 where there is one only
  std::string name = {};  // of the cell, where a point is one
};

struct Curve {
  std::string label;
  std::vector<PlotPoint> points;
};

struct HeatCell {
  size_t row = 0, column = 0;  // places in rows and columns
  double value = 0;
  std::string text;  // "87.02 ± 0.31"; "…(2/3)" where seeds are missing
  bool bold = false;
};

struct Plot {
  std::string title, subtitle, x_label, y_label;
  std::vector<Curve> curves;               // a picture of lines ...
  std::vector<std::string> ticks;          // ... whose x are places in this list, if it is not empty
  bool markers = false;                    // lines with points
  bool bars = false;                       // the spread as error bars, not as a band
  bool scattered = false;                  // points without lines
  std::vector<std::string> rows, columns;  // ... or a heat map
  std::vector<HeatCell> cells;
  bool larger_is_better = true;
};

// `names`: one sweep, or runs (anything resolve_run takes). Code::usage for unknown names, keys and metrics, and where
// there is nothing to draw yet.
Plot make_plot(const Sqlite& database, const fs::path& out, const std::vector<std::string>& names,
               const PlotOptions& options);

bool is_curve_x(const std::string& x);  // step, epoch, images or gpu_hours

// The bytes of the picture. format: svg, png, pdf or csv. Code::usage without gnuplot, with the package to install.
std::string render_plot(const Plot& plot, const std::string& format);

}  // namespace simmim
