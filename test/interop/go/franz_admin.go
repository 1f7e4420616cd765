package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func franzAdmin(ctx context.Context, asked request) error {
	// Answers younger than this would come from the client's own memory, five seconds by default.
	client, err := franzClient(asked, kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	codeOf := func(err error) (int16, bool) {
		var known *kerr.Error
		if !errors.As(err, &known) {
			return 0, false
		}
		return known.Code, true
	}
	admin := kadm.NewClient(client)
	deeds := franzTopicDeeds(ctx, admin)
	for name, deed := range franzGroupDeeds(ctx, admin) {
		deeds[name] = deed
	}
	return runSteps(asked, deeds, codeOf)
}

func franzTopicDeeds(ctx context.Context, admin *kadm.Client) map[string]deed {
	return map[string]deed{
		"create-topic": func(step adminStep) (fields, error) {
			configs := map[string]*string{}
			for key, value := range step.Configs {
				configs[key] = &value
			}
			_, err := admin.CreateTopic(ctx, step.Partitions, 1, configs, step.Topic)
			return nil, err
		},
		"list-topics": func(step adminStep) (fields, error) {
			topics, err := admin.ListTopics(ctx)
			return fields{"topics": startingWith(step.Prefix, topics.Names())}, err
		},
		"describe-topic": func(step adminStep) (fields, error) {
			topics, err := admin.ListTopics(ctx, step.Topic)
			return fields{"partitions": len(topics[step.Topic].Partitions)}, err
		},
		"create-partitions": func(step adminStep) (fields, error) {
			answers, err := admin.UpdatePartitions(ctx, int(step.Total), step.Topic)
			if err == nil {
				err = answers.Error()
			}
			return nil, err
		},
		"describe-config": func(step adminStep) (fields, error) {
			resources, err := admin.DescribeTopicConfigs(ctx, step.Topic)
			if err != nil {
				return nil, err
			}
			for _, config := range resources[0].Configs {
				if config.Key == step.Key {
					return fields{"value": config.Value}, resources[0].Err
				}
			}
			return nil, errors.New("no such config")
		},
		"alter-config": func(step adminStep) (fields, error) {
			change := kadm.AlterConfig{Op: kadm.SetConfig, Name: step.Key, Value: &step.Value}
			answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{change}, step.Topic)
			if err == nil {
				err = answers[0].Err
			}
			return nil, err
		},
		"delete-records": func(step adminStep) (fields, error) {
			var before kadm.Offsets
			before.AddOffset(step.Topic, step.Partition, step.Before, -1)
			answers, err := admin.DeleteRecords(ctx, before)
			answer := answers[step.Topic][step.Partition]
			if err == nil {
				err = answer.Err
			}
			return fields{"low": answer.LowWatermark}, err
		},
		"delete-topic": func(step adminStep) (fields, error) {
			answer, err := admin.DeleteTopic(ctx, step.Topic)
			if err == nil {
				err = answer.Err
			}
			return nil, err
		},
	}
}

func franzGroupDeeds(ctx context.Context, admin *kadm.Client) map[string]deed {
	return map[string]deed{
		"list-groups": func(step adminStep) (fields, error) {
			groups, err := admin.ListGroups(ctx)
			return fields{"groups": startingWith(step.Prefix, groups.Groups())}, err
		},
		"describe-group": func(step adminStep) (fields, error) {
			groups, err := admin.DescribeGroups(ctx, step.Group)
			group := groups[step.Group]
			if err == nil {
				err = group.Err
			}
			return fields{"state": group.State, "members": len(group.Members)}, err
		},
		"group-offsets": func(step adminStep) (fields, error) {
			found, err := admin.FetchOffsetsForTopics(ctx, step.Group, step.Topic)
			offsets := []int64{}
			for partition := range step.Partitions {
				offsets = append(offsets, found[step.Topic][partition].At)
			}
			return fields{"offsets": offsets}, err
		},
		"set-group-offsets": func(step adminStep) (fields, error) {
			var wanted kadm.Offsets
			for partition, offset := range step.Offsets {
				wanted.AddOffset(step.Topic, int32(partition), offset, -1)
			}
			return nil, admin.CommitAllOffsets(ctx, step.Group, wanted)
		},
		"delete-group": func(step adminStep) (fields, error) {
			answer, err := admin.DeleteGroup(ctx, step.Group)
			if err == nil {
				err = answer.Err
			}
			return nil, err
		},
	}
}
