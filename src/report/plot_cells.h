// Pictures of a sweep's cells: its table as a heat map or as lines, or a point a cell. Internal to plot.cpp.
#pragma once
#include "report/plot.h"

namespace simmim {

// A heat map of rows x columns, or lines against the rows.
Plot table_plot(const Sqlite& database, const std::string& sweep, const PlotOptions& options);

// Whether x is a number that every cell has, for scatter_plot.
bool is_number_of_cells(const std::string& x);

// A point a cell: what it reached against such a number, a line of points a value of `by` (else of the rows).
Plot scatter_plot(const Sqlite& database, const std::string& sweep, const PlotOptions& options);

}  // namespace simmim
