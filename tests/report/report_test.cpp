#include "report/report.h"

#include <gtest/gtest.h>

#include "report/page.h"
#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"

namespace simmim {
namespace {

struct ReportSweep {
  TemporaryFolder folder;
  fs::path out = folder.path, path = folder.path / "simmim.db";
  ReportSweep() {
    Json cells = Json::array();
    for (const int64_t patch : {4, 8}) {
      const std::string tag = std::to_string(patch);
      const fs::path run = write_run(out, {.id = "p" + tag, .config = pretrain_config(0, patch)});
      write_text(run / "reconstruction.png", "PNG of patch " + tag);
      const bool fails = patch == 8;
      write_run(out, {.id = "f" + tag,
                      .kind = "finetune",
                      .parent = "p" + tag,
                      .config = finetune_config(0),
                      .summary = fails ? Json::object() : Json{{"val_top1", 81.25}},
                      .state = fails ? "failed" : "done",
                      .error = fails ? "data: no <image> & \"nothing\"" : ""});
      if (fails) write_text(run_path(out, "f8") / "log.txt", "first line\nlast <b>line</b>\n");
      cells.push_back(sample_cell("mask.patch=" + tag, {{"mask.patch", patch}},
                                  Json::array({sample_chain(0, "p" + tag, "f" + tag)})));
    }
    Json plan = sample_plan("demo", cells);
    plan["about"] = "Is 4 < 8 <script>alert(1)</script>?";
    plan["axes"] = {"mask.patch"};
    plan["seeds"] = {0};
    plan["table"] = {{"rows", "mask.patch"}, {"value", "finetune.val.top1"}};
    plan["file"] = "sweeps/demo.json";
    plan["overrides"] = {{"data.root", "/a b"}};
    write_plan(out, plan);
    EXPECT_EQ(ingest_changes(path, out), "");
  }
  std::string page() const { return sweep_report(open_for_reading(path, out), out, "demo"); }
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

TEST(Report, HoldsTableSheetsPlanEnvironmentsFailuresAndCommands) {
  const ReportSweep sweep;
  const std::string page = sweep.page();
  for (const char* part :
       {"<h2>Table</h2>", "81.25 (1)", "<h2>Pictures</h2>", "<h2>Reconstructions</h2>", "<h2>Plan</h2>",
        "<h2>Environments</h2>", "commit: abc123", "<h2>Failures</h2>", "last &lt;b&gt;line&lt;/b&gt;",
        "<h2>To repeat it</h2>", "simmim sweep sweeps/demo.json &#39;data.root=/a b&#39; --seeds 1",
        "3 done, 1 failed of 4 runs", "beside the paper: paper/1"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_NE(page.find("src=\"" + data_uri("image/png", "PNG of patch 4") + "\""), std::string::npos);
  EXPECT_EQ(count(page, "<img "), 2u);
}

TEST(Report, EscapesWhatPeopleAndProgramsWrote) {
  const ReportSweep sweep;
  const std::string page = sweep.page();
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("no &lt;image&gt; &amp; &quot;nothing&quot;"), std::string::npos);
}

TEST(Report, NeedsNothingFromElsewhere) {
  const ReportSweep sweep;
  std::string page = sweep.page();
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* name : {"xmlns=\"http://www.w3.org/2000/svg\"", "xmlns:xlink=\"http://www.w3.org/1999/xlink\""})
    for (size_t at; (at = page.find(name)) != std::string::npos;) page.erase(at, std::string(name).size());
  for (const char* part : {"http:", "https:", "src=\"/", "url(http", "<link", "<script", "<?xml", "<!DOCTYPE svg"})
    EXPECT_EQ(page.find(part), std::string::npos) << part;
}

TEST(Report, FitsAPhoneAndTheDark) {
  const std::string page = html_page("t", "");
  EXPECT_NE(page.find("width=device-width"), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  const ReportSweep sweep;
  const std::string whole = sweep.page();
  EXPECT_EQ(count(whole, "<table>"), count(whole, "<div class=\"scroll\"><table>"));
}

TEST(Report, IsRefusedForASweepThatIsNotThere) {
  const ReportSweep sweep;
  EXPECT_THROW(sweep_report(open_for_reading(sweep.path, sweep.out), sweep.out, "demos"), Error);
}

TEST(DataUri, IsRfc4648sBase64) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) EXPECT_EQ(data_uri("a/b", bytes), "data:a/b;base64," + text);
}

TEST(InlineSvg, GivesEveryPictureItsOwnNames) {
  const std::string svg =
      "<?xml version='1.0'?>\n<svg><path id='gpPt0'/><use xlink:href='#gpPt0'/><g id=\"plot\"/><g "
      "fill='url(#p)'/></svg>";
  EXPECT_EQ(inline_svg(svg, "a"),
            "<svg><path id='a-gpPt0'/><use xlink:href='#a-gpPt0'/><g id=\"a-plot\"/><g fill='url(#a-p)'/></svg>");
}

}  // namespace
}  // namespace simmim
