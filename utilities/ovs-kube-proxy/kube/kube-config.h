/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H 1

/* Where the API server is and how it and we prove who we are
 * ==========================================================
 *
 * Read from a kubeconfig file or from the service account that Kubernetes
 * mounts into a pod.
 *
 * The server is always reached by TLS and its certificate always verified:
 * against the certificate authority that is configured or, where none is,
 * those of the system, as kubectl does.  Settings that would weaken that
 * (http://, insecure-skip-tls-verify) are refused, as are ways to authenticate
 * that this does not know (exec plugins, auth providers, passwords): it is
 * better not to start than to start as somebody else.
 *
 * Files that are named, rather than their content given, are read each time
 * that kube_config_load_credentials() is called, since tokens and certificates
 * are renewed in place.
 *
 * Thread-safety: none; a configuration belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

/* Something that is given in the configuration itself or in a file. */
struct kube_secret {
    char *data;                 /* Null: none, or to be read from 'file'. */
    size_t size;
    char *file;                 /* Absolute, or null. */
};

struct kube_config {
    char *server;               /* "https://HOST[:PORT][/PATH]". */
    char *server_name;          /* To verify instead of HOST, or null. */
    char *proxy;                /* URL, or null. */
    struct kube_secret ca;      /* PEM.  None: the system's. */
    struct kube_secret cert;    /* PEM.  None: no client certificate. */
    struct kube_secret key;     /* PEM. */
    struct kube_secret token;   /* None: no "Authorization". */
};

/* The content of a configuration's secrets at one time. */
struct kube_credentials {
    char *ca, *cert, *key;      /* PEM, or null. */
    char *token;                /* Without blanks around it, or null. */
};

#define KUBE_SERVICE_ACCOUNT_DIR \
    "/var/run/secrets/kubernetes.io/serviceaccount"

char *kube_config_load(const char *file, const char *context,
                       struct kube_config **);
char *kube_config_load_in_cluster(const char *dir, struct kube_config **);
void kube_config_destroy(struct kube_config *);

char *kube_config_load_credentials(const struct kube_config *,
                                   struct kube_credentials *);
void kube_credentials_destroy(struct kube_credentials *);

char *kube_read_file(const char *name, size_t max, char **data, size_t *size);

#endif /* kube-config.h */
