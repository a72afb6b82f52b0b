// One function a file of cli/, each a row of the table in main.cpp.
#pragma once
#include "cli/command.h"

namespace simmim {

Command pretrain_command();
Command finetune_command();
Command probe_command();
Command eval_command();
Command predict_command();
Command sweep_command();
Command worker_command();  // hidden: a run of a sweep
Command status_command();
Command runs_command();
Command show_command();
Command compare_command();
Command log_command();
Command query_command();
Command table_command();
Command plot_command();
Command report_command();
Command reconstruct_command();
Command mask_command();
Command inspect_command();
Command export_command();
Command import_command();
Command data_command();
Command bench_command();
Command list_command();
Command check_command();
Command doctor_command();
Command db_command();
Command gc_command();
Command completion_command();
Command complete_command();  // hidden: what the shells ask
Command version_command();

}  // namespace simmim
