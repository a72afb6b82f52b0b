// Position tables at another size. Relative position bias: BEiT's geometric interpolation as the official SimMIM code
// does it when a pre-trained model is fine-tuned at another image or window size (microsoft/SimMIM utils.py:126-284).
// Absolute position embeddings: bicubic, as the Swin code does it (microsoft/Swin-Transformer utils.py
// load_pretrained).
#pragma once
#include <cstdint>
#include <vector>

namespace simmim {

// The ratio q of the geometric series on which the old table's points are placed, for tables of side src and dst
// (odd): the last midpoint of a bisection on [1.01, 1.5] that looks for (1 - q^(src/2)) / (1 - q) = dst/2.
double geometric_ratio(int64_t src, int64_t dst);

// Interpolation at the points `at` through values given at the increasing points x, as a matrix (at.size() rows,
// x.size() columns, row-major): row i holds the weights of the values in the result at at[i]. Four points and more:
// the not-a-knot cubic spline, which is what SciPy's interp2d(kind="cubic") computes along each axis of a full grid.
// Points outside [x.front(), x.back()] are clamped to it. Two or three points: the polynomial through them; one: a
// constant. (The official code raises there, its spline wants four points an axis.)
std::vector<double> spline_weights(const std::vector<double>& x, const std::vector<double>& at);

// How the rows of a table are made up: side x side offsets (row = (dy+w-1)*side + dx+w-1, side = 2w-1 odd), then
// `extra` rows of the class token (0 for Swin, 3 for ViT). side = 0: the row count fits neither.
struct TableLayout {
  int64_t side = 0, extra = 0;
};
TableLayout table_layout(int64_t rows);

// table (src.side^2 + extra, heads) row-major -> (dst.side^2 + extra, heads). The class token's rows are kept as they
// are. src.extra == dst.extra. Equal sides: the table itself.
std::vector<double> resize_table(const std::vector<double>& table, int64_t heads, TableLayout src, TableLayout dst);

// positions (extra + src^2, dim) row-major -> (extra + dst^2, dim): F.interpolate(mode="bicubic", align_corners=False)
// over the grid; the first `extra` rows (ViT's class token: 1, Swin: 0) are kept.
std::vector<double> resize_positions(const std::vector<double>& positions, int64_t dim, int64_t extra, int64_t src,
                                     int64_t dst);

}  // namespace simmim
