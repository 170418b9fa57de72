"""What was read and decided about single operations, for `api_call`: `audit/operations.py` makes the table with it.

IAM's access levels say that an operation reads, and not what it reads. The name of every operation of level Read or
List was looked at, and what it returns; the rules of `audit/operations.py` find most of those that return more than
configuration, and those of the next botocore too. Here is what rules cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Operations = Mapping[str, str]
"""By a reason, lines of a service and its operations."""

# Source is what somebody programmed: code, scripts, templates. A saved query or a workflow is what the resource is, and
# so configuration, as a policy or a dashboard is.

REFUSED: Operations = {
    "secret": """
        amplify: GetApp GetBranch GetWebhook ListApps ListBranches ListWebhooks
        amplifybackend: GetBackendAuth
        apigateway: GetUsagePlanKey GetUsagePlanKeys
        appsync: GetGraphqlApiEnvironmentVariables ListApiKeys
        autoscaling: DescribeLaunchConfigurations
        chatbot: DescribeChimeWebhookConfigurations
        chime: GetUser ListUsers
        chime-sdk-identity: DescribeAppInstanceUserEndpoint
        cloudformation: BatchDescribeTypeConfigurations
        cloudhsmv2: DescribeClusters
        codepipeline: ListWebhooks
        cognito-idp: DescribeIdentityProvider DescribeUserPoolClient GetIdentityProviderByIdentifier
        cognito-idp: ListUserPoolClientSecrets
        datapipeline: DescribeObjects GetPipelineDefinition
        datasync: DescribeLocationFsxOntap DescribeLocationFsxOpenZfs
        datazone: GetConnection
        directconnect: DescribeRouterConfiguration DescribeVirtualInterfaces
        dms: DescribeCertificates DescribeEndpoints
        ec2: DescribeLaunchTemplateVersions DescribeSpotFleetRequests DescribeSpotInstanceRequests
        ec2: DescribeVerifiedAccessTrustProviders DescribeVpnConnections GetInstanceUefiData GetLaunchTemplateData
        ec2: GetPasswordData GetVpnConnectionDeviceSampleConfiguration
        evs: GetDepotUrl GetEnvironment
        firehose: DescribeDeliveryStream
        glue: GetConnection GetConnections
        imagebuilder: GetImage GetImageRecipe
        importexport: GetStatus
        interconnect: GetConnection
        iot: GetRegistrationCode
        iot-managed-integrations: GetManagedThing GetProvisioningProfile ListDiscoveredDevices
        iotwireless: GetWirelessDevice
        ivs: BatchGetStreamKey GetStreamKey
        ivs-realtime: GetIngestConfiguration
        kafkaconnect: DescribeConnector DescribeConnectorOperation DescribeWorkerConfiguration
        launch-wizard: GetDeployment
        lex-models: GetBotChannelAssociation GetBotChannelAssociations
        lexv2-models: DescribeBotRecommendation
        location: DescribeKey
        managedblockchain: GetAccessor
        mediapackage: DescribeChannel ListChannels
        odb: GetAutonomousDatabaseWalletDetails
        pca-connector-scep: GetChallengePassword
        pinpoint: GetBaiduChannel GetGcmChannel
        quicksight: DescribeAssetBundleImportJob
        secretsmanager: BatchGetSecretValue GetRandomPassword GetSecretValue
        snowball: GetJobUnlockCode
        sns: GetEndpointAttributes ListEndpointsByPlatformApplication
        ssm: GetParameter GetParameterHistory GetParameters GetParametersByPath
        storagegateway: DescribeChapCredentials
        wafv2: GetDecryptedAPIKey ListAPIKeys
        wickr: GetOidcInfo GetOpentdfConfig
        workspaces-web: GetIdentityProvider
    """,
    "credentials": """
        amplifybackend: GetToken
        bedrock-agentcore: GetResourceApiKey GetResourceOauth2Token GetResourcePaymentToken
        chime: GetBot ListBots
        chime-sdk-meetings: GetAttendee ListAttendees
        chime-sdk-voice: ListVoiceConnectorTerminationCredentials
        cloudwatchomni: GetSpaceCredentialsForOrganization
        codepipeline: GetJobDetails GetThirdPartyJobDetails
        connect: GetFederationToken
        ec2: DescribeBundleTasks
        gamelift: GetPlayerConnectionDetails
        gameliftstreams: GetStreamSession
        grafana: DescribeWorkspace ListWorkspaces
        kinesis-video-signaling: GetIceServerConfig
        kms: GetParametersForImport
        marketplace-agreement: GetAgreementEntitlements
        payment-cryptography: GetParametersForExport GetParametersForImport
        quicksight: GetIdentityContext
        route53globalresolver: GetAccessToken ListAccessTokens
        s3control: GetDataAccess
        sagemaker: ListPipelineExecutionSteps
        signin: CreateOAuth2Token
        sts: GetSessionToken
        verifiedpermissions: BatchIsAuthorizedWithToken IsAuthorizedWithToken
    """,
    "url": """
        amplify: GetJob
        amplifyuibuilder: GetCodegenJob
        artifact: GetReport GetTermForReport
        athena: GetResourceDashboard
        bedrock-agentcore-control: GetPaymentConnector
        cognito-idp: DescribeUserImportJob ListUserImportJobs
        connect: GetAttachedFile GetPromptFile
        customer-profiles: GetUploadJobPath
        dataexchange: GetJob ListJobs
        devicefarm: GetJob GetRemoteAccessSession GetRun GetUpload ListArtifacts ListJobs ListRemoteAccessSessions
        devicefarm: ListRuns ListTestGridSessionArtifacts ListUploads
        discovery: DescribeExportConfigurations DescribeExportTasks DescribeImportTasks
        dms: DescribeReplicationTaskAssessmentResults
        ec2: DescribeConversionTasks DescribeImportImageTasks DescribeImportSnapshotTasks
        elbv2: GetTrustStoreCaCertificatesBundle GetTrustStoreRevocationContent
        emr-serverless: GetDashboardForJobRun GetResourceDashboard
        gameliftstreams: GetStreamUrl ListStreamUrls
        greengrassv2: GetComponentVersionArtifact
        imagebuilder: GetMarketplaceResource
        importexport: GetShippingLabel
        inspector: GetAssessmentReport
        inspector2: GetCisScanReport GetCodeSecurityIntegration
        invoicing: GetInvoicePDF
        iot: ListThingRegistrationTaskReports
        iot-managed-integrations: GetAccountAssociation
        iotsitewise: DescribePortal
        lambda: GetFunction GetLayerVersion GetLayerVersionByArn
        lex-models: GetExport
        lexv2-models: DescribeExport
        mailmanager: GetAddressListImportJob GetArchiveMessage ListAddressListImportJobs
        marketplace-reporting: GetBuyerDashboard
        notifications: GetManagedNotificationEvent
        odb: GetOciOnboardingStatus
        omics: GetWorkflow GetWorkflowVersion
        qconnect: GetContent GetImportJob
        quicksight: DescribeAssetBundleExportJob DescribeDashboardSnapshotJobResult
        securityagent: BatchGetFindings
        serverlessrepo: GetApplication GetCloudFormationTemplate
        snowball: DescribeReturnShippingLabel GetJobManifest GetSoftwareUpdates
        socialmessaging: GetWhatsAppFlowPreview ListWhatsAppFlowAssets
        ssm: GetDeployablePatchSnapshotForInstance
        taxsettings: GetTaxRegistrationDocument
        transcribe: GetCallAnalyticsJob GetMedicalVocabulary GetTranscriptionJob GetVocabulary GetVocabularyFilter
        translate: GetParallelData GetTerminology
        wisdom: GetContent GetImportJob
    """,
    "data": """
        appconfig: GetConfiguration GetHostedConfigurationVersion
        appconfigdata: GetLatestConfiguration
        athena: BatchGetQueryExecution GetQueryExecution GetQueryResults
        auditmanager: GetEvidence GetEvidenceByEvidenceFolder
        backupsearch: ListSearchJobResults
        bedrock: GetAutomatedReasoningPolicyAnnotations GetAutomatedReasoningPolicyBuildWorkflowResultAssets
        bedrock: GetAutomatedReasoningPolicyTestCase GetUseCaseForModelAccess ListAutomatedReasoningPolicyTestCases
        bedrock-agent-runtime: GetAgentMemory GetDocumentContent GetInvocationStep ListFlowExecutionEvents
        bedrock-agentcore: GetEvent GetMemoryRecord GetRecommendation ListEvents ListMemoryRecords
        bedrock-agentcore-control: ListDatasetExamples
        chime-sdk-messaging: GetChannelMessage ListChannelMessages
        clouddirectory: GetLinkAttributes GetObjectAttributes ListAttachedIndices ListIncomingTypedLinks ListIndex
        clouddirectory: ListObjectAttributes ListOutgoingTypedLinks
        cloudfront-keyvaluestore: GetKey ListKeys
        cloudsearchdomain: Search Suggest
        cloudtrail: GetQueryResults
        codeguruprofiler: GetProfile
        cognito-identity: LookupDeveloperIdentity
        cognito-idp: AdminGetDevice AdminGetUser AdminGetUserAuthFactors AdminListDevices ListUsers ListUsersInGroup
        cognito-sync: ListRecords
        connect: BatchDescribeDataTableValue DescribeContact DescribeContactEvaluation DescribeNotification
        connect: EvaluateDataTableValues GetContactAttributes ListContactReferences ListDataTablePrimaryValues
        connect: ListDataTableValues ListNotifications ListRealtimeContactAnalysisSegmentsV2 ListUserNotifications
        connect: SearchContactEvaluations SearchContacts SearchNotifications
        connect-contact-lens: ListRealtimeContactAnalysisSegments
        connectcases: GetCase GetCaseAuditEvents ListCasesForContact SearchAllRelatedItems SearchCases
        connectcases: SearchRelatedItems
        connecthealth: GetMedicalScribeListeningSession GetPatientInsightsJob
        customer-profiles: BatchGetCalculatedAttributeForProfile BatchGetProfile GetCalculatedAttributeForProfile
        customer-profiles: GetMatches GetObjectTypeAttributeStatistics GetProfileHistoryRecord GetProfileRecommendations
        customer-profiles: GetSegmentMembership GetSimilarProfiles ListCalculatedAttributesForProfile
        customer-profiles: ListObjectTypeAttributeValues ListProfileAttributeValues ListProfileHistoryRecords
        customer-profiles: ListProfileObjects SearchProfiles
        datazone: GetLineageEvent GetTimeSeriesDataPoint ListTimeSeriesDataPoints
        devops-agent: ListJournalRecords ListPendingMessages
        dynamodb: BatchGetItem GetItem Query Scan SearchVectors
        dynamodbstreams: GetRecords
        ebs: GetSnapshotBlock ListChangedBlocks ListSnapshotBlocks
        ecr: BatchGetImage
        entityresolution: GetMatchId
        forecastquery: QueryForecast QueryWhatIfForecast
        frauddetector: GetEvent GetEventPrediction GetEventPredictionMetadata GetListElements
        gamelift: DescribeMatchmaking DescribePlayerSessions
        glacier: GetJobOutput
        glue: GetColumnStatisticsForPartition GetColumnStatisticsForTable GetEntityRecords GetStatement ListStatements
        iot: DescribeJobTemplate GetCommand GetCommandExecution GetJobDocument SearchIndex
        iot-data: GetRetainedMessage GetThingShadow
        iot-jobs-data: DescribeJobExecution
        iot-managed-integrations: GetManagedThingState
        iotsitewise: BatchGetAssetPropertyAggregates BatchGetAssetPropertyValue BatchGetAssetPropertyValueHistory
        iotsitewise: DescribeAction GetAssetPropertyAggregates GetAssetPropertyValue GetAssetPropertyValueHistory
        iotsitewise: GetCaptureData GetInterpolatedAssetPropertyValues GetQueryResults GetSearchResults
        iottwinmaker: GetPropertyValue GetPropertyValueHistory
        iotwireless: GetPosition GetPositionEstimate GetResourcePosition
        kendra: GetQuerySuggestions Query Retrieve
        keyspacesstreams: GetRecords
        kinesis: GetRecords SubscribeToShard
        kinesisanalytics: DiscoverInputSchema
        kinesisanalyticsv2: DiscoverInputSchema
        lakeformation: GetWorkUnitResults GetWorkUnits
        lambda: GetDurableExecution GetDurableExecutionHistory GetDurableExecutionState
        lex-models: GetUtterancesView
        lex-runtime: GetSession
        lexv2-models: ListAggregatedUtterances ListSessionAnalyticsData ListTestExecutionResultItems ListTestSetRecords
        lexv2-models: SearchAssociatedTranscripts
        lexv2-runtime: GetSession
        location: BatchGetDevicePosition GetDevicePosition GetDevicePositionHistory ListDevicePositions
        logs: GetLookupTable
        macie2: GetSensitiveDataOccurrences
        mailmanager: GetArchiveMessageContent GetArchiveSearchResults GetMemberOfAddressList ListMembersOfAddressList
        mediaconnect: DescribeFlowSourceThumbnail GetRouterInputThumbnail
        medialive: DescribeInputDeviceThumbnail DescribeThumbnails
        medical-imaging: GetImageFrame GetImageSetMetadata SearchImageSets
        mturk: GetAssignment ListAssignmentsForHIT
        neptune-graph: ListQueries
        omics: GetReadSet GetReference
        personalize-runtime: GetActionRecommendations GetPersonalizedRanking GetRecommendations
        pi: DescribeDimensionKeys GetDimensionKeyDetails
        pinpoint: GetEndpoint GetInAppMessages GetUserEndpoints
        pinpoint-sms-voice-v2: DescribeOptedOutNumbers DescribeRegistrationFieldValues
        qapps: GetQAppSession ListQAppSessionData
        qbusiness: GetDocumentContent GetMedia ListConversations ListMessages SearchRelevantContent
        qconnect: GetMessageTemplate GetNextMessage GetQuickResponse GetRecommendations ListMessages ListSpans
        qconnect: SearchMessageTemplates SearchQuickResponses
        quicksight: DescribeAutomationJob ListTopicReviewedAnswers
        redshift-data: DescribeStatement GetStatementResult ListStatements
        rekognition: GetCelebrityRecognition GetContentModeration GetFaceDetection GetFaceLivenessSessionResults
        rekognition: GetFaceSearch GetLabelDetection GetPersonTracking GetSegmentDetection GetTextDetection
        rekognition: ListDatasetEntries ListFaces ListUsers SearchFaces SearchFacesByImage SearchUsers
        rekognition: SearchUsersByImage
        rum: GetAppMonitorData
        s3: GetObject GetObjectAnnotation GetObjectAttributes GetObjectTorrent HeadObject SelectObjectContent
        s3vectors: GetVectors ListVectors QueryVectors
        sagemaker-featurestore-runtime: BatchGetRecord GetRecord ListRecords
        sagemakertrainingsessionruntime: GetSamplingOperationResult GetTrainingOperationResult
        sdb: GetAttributes Select
        security-ir: GetCase ListCaseEdits ListComments
        securityagent: GetArtifact ListActorMessages
        sesv2: GetContact GetMessageInsights GetSuppressedDestination ListContacts ListSuppressedDestinations
        sns: ListPhoneNumbersOptedOut
        sqs: ReceiveMessage
        ssm-contacts: DescribeEngagement DescribePage
        stepfunctions: DescribeExecution GetExecutionHistory
        support: DescribeAttachment DescribeCases DescribeCommunications
        swf: GetWorkflowExecutionHistory
        textract: GetDocumentAnalysis GetDocumentTextDetection GetExpenseAnalysis GetLendingAnalysis
        textract: GetLendingAnalysisSummary
        timestream-query: PrepareQuery Query
        wickr: BatchLookupUserUname
        wisdom: GetQuickResponse GetRecommendations SearchQuickResponses
        workdocs: DescribeActivities DescribeComments DescribeDocumentVersions DescribeFolderContents GetDocument
        workdocs: GetDocumentVersion GetResources SearchResources
        workmailmessageflow: GetRawMessageContent
    """,
    "logs": """
        application-insights: DescribeObservation DescribeProblemObservations
        auditmanager: GetChangeLogs
        cloudtrail: ListInsightsData LookupEvents
        cloudwatch: GetInsightRuleReport
        cloudwatchomni: GetTelemetryQueryResults
        codebuild: BatchGetCommandExecutions ListCommandExecutionsForSandbox
        codedeploy: BatchGetDeploymentInstances BatchGetDeploymentTargets GetDeploymentInstance GetDeploymentTarget
        cognito-idp: AdminListUserAuthEvents
        devops-guru: ListAnomalousLogGroups
        ec2: GetConsoleOutput GetConsoleScreenshot
        elasticbeanstalk: RetrieveEnvironmentInfo
        glue: GetSystemLogsForJobRun GetSystemLogsForSession
        lightsail: GetContainerLog GetRelationalDatabaseLogEvents
        logs: FilterLogEvents GetLogEvents GetLogRecord GetQueryResults ListAnomalies StartLiveTail StartQuery
        network-firewall: GetAnalysisReportResults ListFlowOperationResults
        rds: DownloadDBLogFilePortion
        ssm: DescribeAutomationExecutions DescribeAutomationStepExecutions GetAutomationExecution
        ssm: GetCommandInvocation ListCommandInvocations
        waf: GetSampledRequests
        waf-regional: GetSampledRequests
        wafv2: GetSampledRequests
        xray: BatchGetTraces GetRetrievedTracesGraph GetTraceGraph GetTraceSummaries ListRetrievedTraces
    """,
    "source": """
        apigateway: GetExport GetSdk
        apigatewayv2: ExportApi
        appsync: GetFunction GetResolver ListFunctions ListResolvers ListResolversByFunction
        athena: GetCalculationExecutionCode
        b2bi: GetTransformer ListTransformers
        cleanrooms: GetIntermediateTable GetProtectedJob GetProtectedQuery
        cleanroomsml: GetAudienceGenerationJob GetMLInputChannel
        cloudformation: DescribeStackResource DescribeStackSet GetGeneratedTemplate GetTemplate
        cloudfront: GetConnectionFunction GetFunction
        cloudtrail: DescribeQuery
        codeartifact: GetPackageVersionAsset GetPackageVersionReadme
        codebuild: BatchGetBuildBatches BatchGetBuilds BatchGetProjects BatchGetSandboxes
        codecommit: BatchDescribeMergeConflicts BatchGetCommits DescribeMergeConflicts GetBlob GetBlobDifferences
        codecommit: GetComment GetCommentsForComparedCommit GetCommentsForPullRequest GetCommit GetDifferences GetFile
        codecommit: GetFolder ListFileCommitHistory
        codeguru-security: BatchGetFindings GetFindings
        config: GetCustomRulePolicy GetOrganizationCustomRulePolicy
        continuum: GetCodeFinding GetCodeIssue GetCodeIssueArtifact
        datazone: GetNotebook GetNotebookExport
        deadline: BatchGetJobEntity GetFleet GetQueueEnvironment
        devops-agent: GetAssetContent GetAssetFile
        dms: DescribeMetadataModel
        glue: GetPlan
        greengrassv2: GetComponent ResolveComponentCandidates
        healthlake: GetDataTransformationProfile
        imagebuilder: GetComponent GetContainerRecipe
        inspector2: BatchGetCodeSnippet
        kinesisanalytics: DescribeApplication
        kinesisanalyticsv2: DescribeApplication DescribeApplicationVersion
        logs: DescribeQueries
        m2: GetApplicationVersion
        osis: GetPipeline
        proton: GetDeployment
        sagemaker: DescribeNotebookInstanceLifecycleConfig
        sagemaker: DescribeStudioLifecycleConfig
        schemas: GetCodeBindingSource
        ssm: DescribeEffectiveInstanceAssociations DescribeMaintenanceWindowExecutionTaskInvocations
        ssm: DescribeMaintenanceWindowTasks GetDocument GetMaintenanceWindowExecutionTask
        ssm: GetMaintenanceWindowExecutionTaskInvocation GetMaintenanceWindowTask ListCommands
    """,
    "acts": """
        ec2: GetFlowLogsIntegrationTemplate
        sagemaker: GetScalingConfigurationRecommendation
    """,
    "more": """
        cloudcontrol: GetResource ListResources
        efs: DescribeMountTargetSecurityGroups
        logs: DescribeAccountPolicies
        redshift-data: DescribeTable ListDatabases ListSchemas ListTables
        resource-groups: ListGroupResources SearchResources
        wafv2: GetWebACLForResource
    """,
    "address": """
        cloudfront-keyvaluestore: DescribeKeyValueStore
        kinesis-video-archived-media: GetDASHStreamingSessionURL GetHLSStreamingSessionURL GetImages ListFragments
        mediastore-data: DescribeObject ListItems
        neptunedata: GetEngineStatus GetLoaderJobStatus ListLoaderJobs ListMLDataProcessingJobs ListMLEndpoints
        neptunedata: ListMLModelTrainingJobs ListMLModelTransformJobs
        route53-recovery-cluster: GetRoutingControlState ListRoutingControls
    """,
}

HARMLESS: Operations = {
    "names, ARNs, states or sizes, without what they stand for": """
        bedrock-agentcore-control: GetApiKeyCredentialProvider GetOauth2CredentialProvider GetTokenVault
        bedrock-agentcore-control: ListApiKeyCredentialProviders ListOauth2CredentialProviders
        bedrock-agentcore-control: ListPaymentCredentialProviders
        codebuild: ListSourceCredentials
        codedeploy: ListGitHubAccountTokenNames
        datapipeline: QueryObjects
        dms: DescribeReplicationInstanceTaskLogs
        ec2: DescribeFlowLogs
        fsx: DescribeStorageVirtualMachines
        grafana: ListWorkspaceServiceAccountTokens
        iam: ListServiceSpecificCredentials
        iot: GetTopicRuleDestination ListTopicRuleDestinations
        iot-data: ListRetainedMessages
        iot-managed-integrations: GetCredentialLocker ListCredentialLockers
        iotwireless: ListQueuedMessages
        ivs: ListStreamKeys
        kafka: ListScramSecrets
        kendra: DescribeDataSource
        lambda-microvms: GetMicrovmImage
        license-manager: ListTokens
        mediaconvert: GetJob GetJobTemplate GetPreset ListJobTemplates ListJobs ListPresets SearchJobs
        mediapackage: DescribeOriginEndpoint ListOriginEndpoints
        mediapackage-vod: DescribePackagingGroup ListPackagingGroups
        qconnect: SearchContent
        rds: DescribeDBLogFiles
        sagemaker: DescribeImage
        secretsmanager: DescribeSecret ListSecretVersionIds ListSecrets
        sqs: GetQueueUrl
        transcribe: GetMedicalTranscriptionJob ListMedicalTranscriptionJobs ListTranscriptionJobs
        waf: GetChangeToken GetChangeTokenStatus
        waf-regional: GetChangeToken GetChangeTokenStatus
        wisdom: SearchContent
        workmail: GetPersonalAccessTokenMetadata ListPersonalAccessTokens
    """,
    "a secret that AWS leaves out or masks, as its documentation says": """
        apigateway: GetApiKey GetApiKeys
        appstream: DescribeDirectoryConfigs
        docdb: DescribeDBInstances
        elbv2: DescribeListeners DescribeRules
        emr: DescribeCluster
        fsx: DescribeBackups DescribeFileSystems DescribeSnapshots DescribeVolumes
        iam: ListVirtualMFADevices
        lightsail: GetBucketAccessKeys
        neptune: DescribeDBInstances
        rds: DescribeDBClusters DescribeDBInstances DescribeTenantDatabases
        redshift: DescribeClusters
    """,
    "public: certificates, public keys, prices, maps, and what a login page shows": """
        cloudtrail: ListPublicKeys
        cognito-idp: DescribeManagedLoginBranding DescribeManagedLoginBrandingByClient
        datasync: DescribeLocationObjectStorage
        ec2: DescribeIpamExternalResourceVerificationTokens ExportClientVpnClientCertificateRevocationList
        geo-maps: GetStaticMap GetTile
        kms: GetPublicKey
        location: GetMapGlyphs GetMapSprites GetMapStyleDescriptor GetMapTile
        pricing: GetPriceListFileUrl
        rolesanywhere: GetCrl ListCrls
        securityagent: BatchGetTargetDomains
        transfer: DescribeWebAppCustomization
        workspaces-web: GetTrustStoreCertificate
    """,
    "configuration": """
        agent-registry: ListDiscoverableRegistryRecords SearchDiscoverableRegistryRecords
        agent-registry-control: GetRegistryRecord ListRegistryRecords
        amp: DescribeAlertManagerDefinition DescribeRuleGroupsNamespace DescribeScraper GetDefaultScraperConfiguration
        amplifyuibuilder: ExportComponents ExportForms ExportThemes
        apigateway: GetIntegration GetMethod GetResource GetResources
        appmesh: DescribeVirtualGateway DescribeVirtualNode
        appsync: GetIntrospectionSchema
        backup: ExportBackupPlanTemplate
        bedrock: GetEvaluationJob
        bedrock-agentcore: SearchRegistryRecords
        bedrock-agentcore-control: GetRegistryRecord ListRegistryRecords
        clouddirectory: ListFacetAttributes ListTypedLinkFacetAttributes
        dynamodb: DescribeExport
        ec2: GetNetworkInsightsAccessScopeContent
        eks: DescribeCluster
        entityresolution: GetPolicy
        iot: GetOTAUpdate
        kafka: DescribeConfigurationRevision
        location: GetGeofence ListGeofences
        sagemaker: DescribeDomain DescribeHubContent DescribeUserProfile DescribeWorkteam ListWorkteams
        schemas: ExportSchema
        waf: GetByteMatchSet
        waf-regional: GetByteMatchSet
        wafv2: GetRuleGroup GetWebACL
        wellarchitected: ExportLens
    """,
    "findings, states and sums about resources": """
        appflow: DescribeFlowExecutionRecords
        backup: GetPITRMalwareScanResults
        bedrock-agentcore: GetPaymentInstrumentBalance
        ce: GetApproximateUsageRecords
        cloudformation: GetHookResult ListHookResults ListStackSetOperationResults
        cloudwatch: GetMetricWidgetImage
        codepipeline: GetPipelineState
        ecr: DescribeReplicationBackfillResults
        glue: GetDataQualityModelResult ListDataQualityResults
        iam: GetCredentialReport
        inspector2: GetClustersForImage
        internetmonitor: GetQueryResults
        iot: ListSbomValidationResults
        lightsail: GetCloudFormationStackRecords GetExportSnapshotRecords
        mgn: ListNetworkMigrationAnalysisResults
        securityhub: GetFindings GetInsightResults
        servicecatalog: DescribeRecord
        ssm-incidents: GetIncidentRecord ListIncidentRecords
        ssm-sap: ListSubCheckResults ListSubCheckRuleResults
        support: DescribeTrustedAdvisorCheckResult
        transfer: ListFileTransferResults
    """,
    "only reads, by another verb": """
        clouddirectory: LookupPolicy
        codecommit: EvaluatePullRequestApprovalRules
        config: SelectAggregateResourceConfig SelectResourceConfig
        gamelift: ResolveAlias
        glue: QuerySchemaVersionMetadata
        iam: SimulateCustomPolicy SimulatePrincipalPolicy
        inspector: PreviewAgents
        opensearch: CompareDomainConfiguration
        route53domains: ViewBilling
        s3: HeadBucket
        sagemaker: QueryLineage
        sdb: DomainMetadata
        servicecatalog: ScanProvisionedProducts
        servicediscovery: DiscoverInstances DiscoverInstancesRevision
        verifiedpermissions: BatchIsAuthorized
    """,
    "has AWS look at the configuration and report, and changes no resource": """
        cloudformation: DetectStackDrift DetectStackResourceDrift DetectStackSetDrift
        iam: GenerateCredentialReport GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails
        service-quotas: StartQuotaUtilizationReport
    """,
    "computes an answer from its own arguments, and reads nothing that is stored": """
        appsync: EvaluateCode EvaluateMappingTemplate
        bedrock-runtime: CountTokens
        cleanrooms: PreviewPrivacyImpact
        cloudformation: EstimateTemplateCost
        comprehend: BatchDetectDominantLanguage BatchDetectEntities BatchDetectKeyPhrases BatchDetectSentiment
        comprehend: BatchDetectSyntax BatchDetectTargetedSentiment ClassifyDocument ContainsPiiEntities
        comprehend: DetectDominantLanguage DetectEntities DetectKeyPhrases DetectPiiEntities DetectSentiment
        comprehend: DetectSyntax DetectTargetedSentiment DetectToxicContent
        comprehendmedical: DetectEntitiesV2 DetectPHI InferICD10CM InferRxNorm InferSNOMEDCT
        customer-profiles: DetectProfileObjectType
        events: TestEventPattern
        geo-places: Autocomplete Geocode ReverseGeocode Suggest
        geo-routes: CalculateIsolines CalculateRouteMatrix CalculateRoutes OptimizeWaypoints SnapToRoads
        inspector-scan: ScanSbom
        iot: TestAuthorization
        kendra-ranking: Rescore
        location: CalculateRoute CalculateRouteMatrix ForecastGeofenceEvents
        logs: TestMetricFilter TestTransformer
        observabilityadmin: TestTelemetryPipeline
        pinpoint: PhoneNumberValidate
        pinpoint-sms-voice-v2: CarrierLookup
        route53: TestDNSAnswer
        translate: TranslateDocument TranslateText
    """,
}
"""What a rule finds and is not that. `api_call` refuses the arguments that would make it so."""


def each(operations: Operations) -> Iterator[tuple[str, str]]:
    """Each operation with its reason."""
    for reason, lines in operations.items():
        for line in lines.strip().splitlines():
            service, _, names = line.strip().partition(": ")
            yield from ((f"{service}:{name}", reason) for name in names.split())
