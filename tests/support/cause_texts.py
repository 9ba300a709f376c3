"""Texts as Azure, KAITO, Karpenter, the kubelet, vLLM and cert-manager write them, each with its cause."""

from aks_kaito_cli.status.causes import Kind

# Where a text begins with an arm's error, Karpenter cuts it after 300 characters.
TEXTS: list[tuple[str, Kind, str]] = [
    (
        "quota",
        "azure",
        "ErrCode_InsufficientVCPUQuota: Insufficient vcpu quota requested 24, remaining 0 for family standardNCADSA100v4Family for region westeurope.",
    ),
    (
        "quota",
        "azure",
        "OperationNotAllowed: Operation could not be completed as it results in exceeding approved standardNCADSA100v4Family Cores quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 0, Current Usage: 0, Additional Required: 24, (Minimum) New Limit Required: 24.",
    ),
    (
        "quota",
        "azure",
        "QuotaExceeded: Operation could not be completed as it results in exceeding approved Total Regional Cores quota.",
    ),
    (
        "quota",
        "claim",
        'LaunchFailed creating instance, agentPool.BeginCreateOrUpdate for "ws8f3b6a1c2" failed: PUT https://management.azure.com/subscriptions/x RESPONSE 400: 400 Bad Request ERROR CODE: ErrCode_InsufficientVCPUQuota',
    ),
    (
        "quota_spot",
        "azure",
        "OperationNotAllowed: Operation could not be completed as it results in exceeding approved LowPriorityCores quota.",
    ),
    (
        "policy",
        "azure",
        'ReconcileVMSSAgentPoolFailed: Code="RequestDisallowedByPolicy" Message="Resource \'aks-ws8f3b6a1c2-vmss\' was disallowed by policy."',
    ),
    (
        "zone",
        "azure",
        "AvailabilityZoneNotSupported: The zone(s) '2' for resource 'ws8f3b6a1c2' is not supported. The supported zones for location 'westeurope' are '1,3'",
    ),
    (
        "zone",
        "azure",
        "The requested size for resource '/subscriptions/x/virtualMachineScaleSets/aks-ws' is currently not available in location 'westeurope' zones '1,2,3' for subscription 'x'.",
    ),
    (
        "sku",
        "azure",
        "SkuNotAvailable: The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_NC24ads_A100_v4' is currently not available in location 'westeurope'.",
    ),
    (
        "sku",
        "azure",
        "BadRequest: Virtual Machine size: 'Standard_NC24ads_A100_v4' is not supported for subscription x in location 'westeurope'.",
    ),
    (
        "sku",
        "azure",
        "BadRequest: The VM size of AgentPoolProfile:ws8f3b6a1c2 is not allowed in your subscription in location 'westeurope'.",
    ),
    ("sku", "kaito", "workspaceFailed all requested instance types were unavailable during launch"),
    (
        "capacity",
        "azure",
        "AllocationFailed: Allocation failed. If you are trying to add a new VM to a Virtual Machine Scale Set with a single placement group",
    ),
    (
        "capacity",
        "azure",
        "ZonalAllocationFailed: Allocation failed. We do not have sufficient capacity for the requested VM size Standard_NC24ads_A100_v4 in zone 1.",
    ),
    (
        "capacity",
        "azure",
        "OverconstrainedZonalAllocationRequest: Allocation failed. VM(s) with the following constraints cannot be allocated",
    ),
    (
        "subnet",
        "azure",
        "InsufficientSubnetSize: Pre-allocated IPs 93 exceeds IPs available 59 in Subnet Cidr 10.0.0.0/26",
    ),
    (
        "federation",
        "claim",
        "LaunchFailed creating instance, AADSTS700213: No matching federated identity record found for presented assertion subject",
    ),
    ("rights", "claim", "LaunchFailed creating instance, RESPONSE 403: 403 Forbidden ERROR CODE: AuthorizationFailed"),
    (
        "throttled",
        "claim",
        "LaunchFailed creating instance, RESPONSE 429: 429 Too Many Requests ERROR CODE: TooManyRequests",
    ),
    (
        "node_timed_out",
        "kaito",
        "workspaceResourceStatusFailed check nodeClaim status timed out. nodeClaim ws8f3b6a1c2 is not ready",
    ),
    ("claim_stuck", "claim", "no node for 20 min 0 s, and Azure has no pool for it"),
    (
        "node_launch",
        "claim",
        'LaunchFailed creating instance, agentPool.BeginCreateOrUpdate for "ws8f3b6a1c2" failed: PUT https://management.azure.com/subscriptions/...',
    ),
    (
        "webhook",
        "kaito",
        'inferencesetFailed Internal error occurred: failed calling webhook "validation.workspace.kaito.sh": failed to call webhook: Post "https://kaito-workspace.kube-system.svc:9443/validate?timeout=10s": no endpoints available for service "kaito-workspace"',
    ),
    (
        "context_too_long",
        "log",
        "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (39024). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.",
    ),
    (
        "context_too_long",
        "log",
        "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.72 GiB). Based on the available memory, the estimated maximum model length is 79632.",
    ),
    (
        "context_too_long",
        "log",
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
    ),
    (
        "gpu_memory",
        "log",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.25 GiB. GPU 0 has a total capacity of 79.15 GiB",
    ),
    (
        "gpu_memory",
        "log",
        "ValueError: Free memory on device (14.6/15.77 GiB) on startup is less than desired GPU memory utilization (0.95, 14.98 GiB).",
    ),
    (
        "max_model_len_too_long",
        "log",
        "ValueError: User-specified max_model_len (262144) is greater than the derived max_model_len (max_position_embeddings=131072.0)",
    ),
    (
        "huggingface_unauthorized",
        "log",
        "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-66f4b037)",
    ),
    (
        "huggingface_unauthorized",
        "log",
        "Access to model meta-llama/Llama-3.1-8B-Instruct is restricted. You must have access to it and be authenticated to access it. Please log in.",
    ),
    (
        "huggingface_forbidden",
        "log",
        "Access to model google/gemma-3-4b-pt is restricted and you are not in the authorized list. Visit https://huggingface.co/google/gemma-3-4b-pt to ask for access.",
    ),
    (
        "huggingface_forbidden",
        "log",
        "403 Client Error: Forbidden for url: https://huggingface.co/google/gemma-3-4b-pt/resolve/main/config.json",
    ),
    (
        "huggingface_unreachable",
        "log",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.",
    ),
    (
        "huggingface_unreachable",
        "log",
        "HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /api/models/x",
    ),
    (
        "download",
        "kaito",
        "SASTokenFetchFailed SAS token fetch failed: the streaming init container could not obtain a SAS token; check the fetch-sas init container logs",
    ),
    (
        "image_not_found",
        "pod",
        'ErrImagePull rpc error: code = NotFound desc = failed to pull and unpack image "mcr.microsoft.com/aks/kaito/kaito-base:9.9.9": failed to resolve reference: mcr.microsoft.com/aks/kaito/kaito-base:9.9.9: not found',
    ),
    (
        "image_unauthorized",
        "pod",
        'Failed Failed to pull image "crkaito.azurecr.io/x:1": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://crkaito.azurecr.io/oauth2/token: 401 Unauthorized',
    ),
    (
        "image_unreachable",
        "pod",
        'ErrImagePull failed to pull and unpack image "mcr.microsoft.com/x:1": failed to resolve reference: failed to do request: Head "https://mcr.microsoft.com/v2/x/manifests/1": dial tcp 204.79.197.219:443: i/o timeout',
    ),
    (
        "disk_full",
        "pod",
        "ErrImagePull failed to pull and unpack image: failed to extract layer: write /x: no space left on device",
    ),
    ("image_pull", "pod", 'ImagePullBackOff Back-off pulling image "mcr.microsoft.com/aks/kaito/kaito-base:0.5.0"'),
    (
        "host_memory",
        "kaito",
        'ContainerOOMKilled container "phi" was OOMKilled (exit code 137); reduce memory usage or use a larger instance type',
    ),
    ("host_memory", "pod", "OOMKilled: exit code 137"),
    ("evicted", "pod", "Evicted The node was low on resource: pods."),
    ("probe", "pod", "Killing Container phi-4-mini-instruct failed startup probe, will be restarted"),
    ("probe", "pod", "Killing Container phi-4-mini-instruct failed liveness probe, will be restarted"),
    ("configuration", "pod", 'CreateContainerConfigError configmap "phi-4-mini-instruct-parameters" not found'),
    ("engine_arguments", "log", "inference_api.py: error: unrecognized arguments: --frobnicate"),
    ("gpu_fault", "log", "RuntimeError: CUDA error: uncorrectable ECC error encountered"),
    ("crash", "pod", "CrashLoopBackOff back-off 5m0s restarting failed container=phi pod=phi-0_kaito-chat"),
    ("benchmark", "kaito", "BenchmarkFailed benchmark: no result in the log"),
    ("failed", "kaito", "workspaceFailed something unheard of failed"),
    (
        "address_quota",
        "address",
        "SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: PublicIPCountLimitReached: Cannot create more than 10 public IP addresses for this subscription in this region.",
    ),
    (
        "address_rights",
        "address",
        "SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: Retriable: false, HTTPStatusCode: 403, RawError: AuthorizationFailed",
    ),
    (
        "address",
        "address",
        "SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: findMatchedPIP: cannot find public IP",
    ),
    (
        "certificate_caa",
        "certificate",
        "invalid Error accepting authorization: acme: authorization error for chat.kaito.dev: 403 urn:ietf:params:acme:error:caa: CAA record for chat.kaito.dev prevents issuance",
    ),
    (
        "certificate_limit",
        "certificate",
        "errored Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many certificates (5) already issued for this exact set of identifiers",
    ),
    (
        "certificate_dns",
        "certificate",
        "pending Waiting for HTTP-01 challenge propagation: failed to perform self check GET request 'http://chat.kaito.dev/.well-known/acme-challenge/x': Get \"http://chat.kaito.dev/x\": dial tcp: lookup chat.kaito.dev on 172.16.0.10:53: no such host",
    ),
    (
        "certificate_zone_rights",
        "certificate",
        "pending Error presenting challenge: request error: RESPONSE 403: 403 Forbidden ERROR CODE: AuthorizationFailed",
    ),
    ("provisioner", "controller", "kaito-gpu-provisioner is not available"),
    ("provisioner", "controller", "gpu-provisioner is not available"),
    ("webhook", "controller", "kaito-workspace is not available: it is missing"),
]
# These count only after a while.
PATIENT: list[tuple[str, Kind, str, float]] = [
    ("gpu_driver", "kaito", "NodePluginsNotReady node plugins are not ready", 900),
    (
        "busy",
        "azure",
        "OperationNotAllowed: Operation is not allowed because there's an in progress create node pool operation",
        900,
    ),
    (
        "unschedulable",
        "kaito",
        'Unschedulable pod "phi-0" is unschedulable: 0/4 nodes are available: 4 Insufficient nvidia.com/gpu.',
        900,
    ),
    ("not_progressing", "kaito", "WorkspaceInferenceStatusPending context deadline exceeded", 1800),
    (
        "certificate_self_check",
        "certificate",
        "pending Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'",
        600,
    ),
    (
        "certificate",
        "certificate",
        'Failed The certificate request has failed to complete and will be retried: order is in "invalid" state',
        600,
    ),
]
# Words of the way, which are no reason.
HARMLESS: list[tuple[Kind, str]] = [
    ("log", "INFO 11-28 12:00:00 [loader.py:447] Loading weights took 62.10 seconds"),
    ("log", "WARNING 11-28 12:00:00 [cuda.py:600] Detected different devices in the system"),
    ("pod", 'Unhealthy Startup probe failed: Get "http://10.0.0.9:5000/health": connect: connection refused'),
    ("pod", 'Pulling Pulling image "mcr.microsoft.com/aks/kaito/kaito-base:0.5.0"'),
    ("kaito", "WorkspaceInferenceStatusPending Inference workload is not ready"),
    (
        "certificate",
        'pending Waiting for DNS-01 challenge propagation: DNS record for "chat.kaito.dev" not yet propagated',
    ),
    ("certificate", "DoesNotExist Issuing certificate as Secret does not exist"),
]
