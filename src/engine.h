// The boundary between the light front (simmim) and the heavy engine (libsimmim_engine.so, which brings LibTorch in):
// C functions, JSON text in and out, exit codes instead of exceptions. The requests are listed in engine.cpp.
#pragma once

extern "C" {

// Called on the calling thread while a request runs, with one JSON object:
// {"event":"progress"|"epoch"|"message"|..., ...}.
typedef void (*simmim_event_fn)(const char* event_json, void* context);

// Runs one request, {"command": NAME, ...}. Returns the exit code of core/error.h (0 = ok); *response is one JSON
// document, on failure {"error": "one sentence", or nothing where another process says it}, to be given back with
// simmim_engine_free.
int simmim_engine_call(const char* request_json, simmim_event_fn on_event, void* context, char** response_json);
void simmim_engine_free(char* response_json);

// Asks the running request to finish its step, save and return 4 (interrupted). Safe in a signal handler.
void simmim_engine_interrupt(void);
}
