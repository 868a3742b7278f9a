/* sdk/document: the memory behind weir/document.h, which a call owns. */
#ifndef WEIR_SDK_DOCUMENT_H
#define WEIR_SDK_DOCUMENT_H

#include <weir/document.h>

typedef struct weir_documents weir_documents;

void weir__documents_free(weir_documents *documents); /* accepts NULL */
/* The most that one row's documents may take, bytes. */
#define WEIR_DOCUMENT_SIZE_MAX WEIR_CALL_MEMORY_MAX

#endif
