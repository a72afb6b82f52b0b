#include "sweep/slurm_queue.h"

#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <set>
#include <sstream>

#include "core/process.h"

namespace simmim {
namespace {

constexpr const char* kRecord = "submitted.json";

std::string slurm_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What a command said when it failed, in one line.
std::string words_of(const CommandResult& result) {
  std::string text = trim(result.err.empty() ? result.out : result.err);
  for (char& letter : text)
    if (letter == '\n') letter = ' ';
  return text.empty() ? fmt::format("exit code {}", result.code) : text;
}

// "12_3" of everything of this user that waits or runs.
std::set<std::string> elements_in_queue() {
  const CommandResult answer = run_command({"squeue", "--me", "--noheader", "--array", "--format=%i"});
  if (answer.code == 127)
    fail(Code::usage,
         "squeue: not found on this machine; give the command where Slurm is, since runs of this sweep "
         "were submitted before and may still be queued");
  if (answer.code != 0) fail(Code::run_failed, "squeue: {}; the same command tries again", words_of(answer));
  std::set<std::string> elements;
  std::istringstream text(answer.out);
  for (std::string element; text >> element;) elements.insert(element);
  return elements;
}

// sbatch --parsable: "12" or "12;cluster".
std::string job_number(const std::string& printed) {
  const std::string number = trim(printed.substr(0, printed.find(';')));
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos)
    fail(Code::run_failed, "sbatch: got '{}'; expected a job number", trim(printed));
  return number;
}

}  // namespace

fs::path submissions_folder(const fs::path& out, const std::string& sweep) { return out / "sweeps" / sweep / "slurm"; }

fs::path next_submission(const fs::path& submissions) {
  int number = 1;
  while (fs::exists(submissions / std::to_string(number))) ++number;
  return submissions / std::to_string(number);
}

std::map<std::string, SlurmElement> queued_runs(const fs::path& submissions) {
  std::map<std::string, SlurmElement> submitted;  // the last time that each run was
  for (int number = 1; fs::exists(submissions / std::to_string(number)); ++number) {
    const fs::path folder = submissions / std::to_string(number);
    if (!fs::exists(folder / kRecord)) continue;
    const Json jobs = read_json_file(folder / kRecord);
    for (const auto& [array, job] : jobs.items())
      for (const auto& [index, run] : read_slurm_rows(folder / (array + ".rows")))
        submitted[run] = {job.get<std::string>(), index};
  }
  if (submitted.empty()) return {};
  const std::set<std::string> queue = elements_in_queue();
  std::erase_if(submitted, [&](const auto& item) { return !queue.contains(item.second.text()); });
  return submitted;
}

int64_t max_array_size() {
  constexpr int64_t kDefault = 1001;
  const CommandResult answer = run_command({"scontrol", "show", "config"});
  const size_t at = answer.out.find("MaxArraySize");
  if (answer.code != 0 || at == std::string::npos) return kDefault;
  const size_t digits = answer.out.find_first_of("0123456789", at);
  int64_t size = kDefault;
  if (digits != std::string::npos)
    std::from_chars(answer.out.data() + digits, answer.out.data() + answer.out.size(), size);
  return size > 0 ? size : kDefault;  // 0: this cluster takes no arrays, as sbatch will say
}

std::vector<SubmittedArray> submit_arrays(const std::vector<SlurmArray>& arrays, const fs::path& folder,
                                          const std::function<std::string(const SlurmArray&)>& script) {
  make_folder(folder);
  std::vector<SubmittedArray> submitted;
  std::map<std::string, std::string> jobs;
  for (const SlurmArray& array : arrays) {
    const fs::path file = folder / (array.name + ".sh");
    write_file_atomically(file, script(array));
    write_file_atomically(folder / (array.name + ".rows"), slurm_rows(array));
    std::vector<std::string> command = {"sbatch", "--parsable"};
    if (const std::string after = slurm_dependency(array, jobs); !after.empty())
      command.push_back("--dependency=" + after);
    command.push_back(file.string());
    const CommandResult answer = run_command(command);
    if (answer.code == 127)
      fail(Code::usage,
           "sbatch: not found on this machine; give the command on a login node of the cluster, or leave "
           "out --executor slurm to run the sweep here");
    if (answer.code != 0)
      fail(Code::run_failed,
           "sbatch refused {}: {}; {}put it right in \"resources\", --resources or site.json and give "
           "the same command again",
           file.string(), words_of(answer),
           jobs.empty() ? "" : fmt::format("{} arrays are submitted and stay; ", jobs.size()));
    jobs[array.name] = job_number(answer.out);
    write_file_atomically(folder / kRecord, Json(jobs).dump(1) + "\n");
    submitted.push_back({array, jobs[array.name]});
  }
  return submitted;
}

std::string requeue_this_job() {
  signal(SIGTERM, SIG_IGN);  // comes with the success, to scontrol as well
  // The bare number would mean all elements of the array.
  const std::string element = slurm_variable("SLURM_ARRAY_JOB_ID") + "_" + slurm_variable("SLURM_ARRAY_TASK_ID");
  const std::string state = run_command({"squeue", "--noheader", "--array", "--jobs=" + element, "--format=%T %r"}).out;
  if (state.starts_with("COMPLETING") && state.find("TimeLimit") == std::string::npos) return "";
  const CommandResult answer = run_command({"scontrol", "requeue", element});
  return answer.code == 0 ? "" : words_of(answer);
}

int64_t slurm_index() {
  const std::string text = slurm_variable("SLURM_ARRAY_TASK_ID");
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    fail(Code::usage, "worker: SLURM_ARRAY_TASK_ID is '{}'; --rows is for the jobs of sweep --executor slurm", text);
  return index;
}

}  // namespace simmim
